//! Visitors run the lab's scenarios and see how their styles differ.

use api::{JobState, LabRunId};
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::BrowserTest;
use crate::comparison::wait_for_takeaway;

#[tokio::test]
async fn the_clock_of_a_run_stops_with_the_news() {
    let mut test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    run_alone(page, "Sequential", &[("Requests", "4"), ("Latency", "10000")]).await;
    wait_for_state(page, JobState::Running).await;
    eventually("the first request runs", async || (count_of(page, "running").await > 0).then_some(())).await;
    test.server.kill().await;
    page.wait_for_text("The clock stopped").await;
    let clock = || async { page.texts(".lab_tile dd").await.first().cloned() };
    let stopped = clock().await;
    // A clock that went on would have moved by the next few frames.
    page.script_async("const done = arguments[0]; setTimeout(() => done(1), 300)", vec![]).await;
    assert_eq!(clock().await, stopped);
    test.server = test.installation.start(&[]).await;
    test.finish().await;
}

#[tokio::test]
async fn a_run_can_be_watched_and_reopened_by_its_address() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("404");
    page.open("/nowhere").await;
    page.wait_for_text("There is nothing at /nowhere.").await;
    page.press(['g', 'w']).await;
    page.wait_for_path("g w leads to the lab", |path| path == "/lab").await;
    page.wait_for_text("No run yet").await;
    adjust(page, &[]).await;
    page.click(Role::Button, "20 flags").await;
    page.click(Role::Button, "Only one style").await;
    page.click(Role::Radio, "Threads").await;
    page.fill("Latency", "200").await;
    page.fill("Jitter", "100").await;
    page.wait_for_text("Takes about 200 ms.").await;
    page.click(Role::Button, "Run this style alone").await;
    let address = page.wait_for_path("the run's page", |path| path.starts_with("/lab/runs/")).await;
    page.find(Role::Heading, "20 flags on 20 threads").await;
    wait_for_state(page, JobState::Done).await;
    wait_for_all_flags(page).await;
    page.reload().await;
    assert_eq!(page.path().await, address);
    page.find(Role::Heading, "20 flags on 20 threads").await;
    wait_for_all_flags(page).await;
    page.assert_accessible("a run that is over").await;

    // Arrow keys choose a request.
    page.script("document.querySelector('.waterfall_rows').focus()", vec![]).await;
    page.press([key::END]).await;
    page.wait_for_text("#20 VN: done").await;
    page.press([key::UP]).await;
    page.wait_for_text("#19 US: done").await;

    page.click(Role::Button, "All requests as a table").await;
    eventually("the table has a row for each flag", async || {
        (page.texts(".figures_table tbody tr").await.len() == 20).then_some(())
    })
    .await;
    page.click(Role::Link, "Lab").await;
    wait_for_listed(page, "20 flags on 20 threads").await;
    // The other scenarios have runs of their own.
    page.click(Role::Link, "Database").await;
    page.wait_for_text("No run yet").await;
    assert!(!page.text().await.contains("20 flags on 20 threads"));
    test.finish().await;
}

#[tokio::test]
async fn a_run_is_over_as_soon_as_its_last_answer_is_there() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    run_alone(page, "Threads", &[("Latency", "1500")]).await;
    wait_for_state(page, JobState::Running).await;
    page.script(NOTE_CONTRADICTIONS, vec![]).await;
    wait_for_state(page, JobState::Done).await;
    page.wait_for_text("one by one would take 15.0 s").await;
    let noted = page.script("return window.noted", vec![]).await;
    assert!(noted["frames"].as_u64() > Some(0), "the page was watched: {noted}");
    assert_eq!(noted["contradictions"], serde_json::json!([]));
    test.finish().await;
}

/// In each frame: whether all requests are done, and the page still says that the run is running.
const NOTE_CONTRADICTIONS: &str = "window.noted = {frames: 0, contradictions: []};
    const look = () => {
        const badge = document.querySelector('.lab_run_head .state_badge').innerText.trim();
        const done = document.querySelectorAll('.lab_tile dd')[2].innerText;
        const waits = document.querySelector('.takeaway').innerText.includes('You will read here');
        window.noted.frames += 1;
        if (done === '10' && (badge !== 'Done' || waits)) window.noted.contradictions.push([badge, done, waits]);
        requestAnimationFrame(look);
    };
    look();";

#[tokio::test]
async fn a_run_is_cancelled_and_stays_readable() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    run_alone(page, "Sequential", &[]).await;
    page.find(Role::Heading, "10 × 2 s in sequence").await;
    wait_for_state(page, JobState::Running).await;
    eventually("the first request runs", async || (count_of(page, "running").await > 0).then_some(())).await;
    page.click(Role::Button, "Cancel").await;
    wait_for_state(page, JobState::Cancelled).await;
    page.wait_for_text("This run was cancelled").await;
    assert!(page.find_now(Role::Button, "Cancel").await.is_none(), "a run that has ended cannot be cancelled");
    page.reload().await;
    page.wait_for_text("This run was cancelled").await;
    eventually("all bars are shown again", async || (page.texts(".waterfall_row").await.len() == 10).then_some(()))
        .await;
    test.finish().await;
}

#[tokio::test]
async fn futures_show_their_states_and_callbacks() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    adjust(page, &[("Threads", "4"), ("Latency", "100")]).await;
    page.click(Role::Button, "Only one style").await;
    page.click(Role::Radio, "Futures").await;
    page.click(Role::Radio, "As they come").await;
    page.click(Role::Button, "Run this style alone").await;
    page.find(Role::Heading, "10 × 100 ms as futures on 4 threads, as they come").await;
    wait_for_state(page, JobState::Done).await;
    eventually("all were called back", async || {
        let counts = page.texts(".future_counts div").await.join(" ");
        (counts.contains("finished\n10") && counts.contains("called back\n10")).then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn an_invalid_value_is_reported_at_its_field() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    adjust(page, &[("Requests", "0")]).await;
    page.wait_for_text("Enter a number from 1 to 1,000.").await;
    // Folds the fields: the start unfolds them again.
    page.click(Role::Button, "Adjust").await;
    page.click(Role::Button, "Run the comparison").await;
    eventually("starting anyway moves the focus to the field", async || {
        (page.script("return document.activeElement.id", vec![]).await == "lab-count").then_some(())
    })
    .await;
    assert_eq!(page.path().await, "/lab");
    // Enter in a field starts.
    page.fill("Requests", "1").await;
    page.fill("Latency", "10").await;
    page.press([key::ENTER]).await;
    wait_for_takeaway(page).await;
    test.finish().await;
}

#[tokio::test]
async fn the_pool_of_connections_is_drawn() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.click(Role::Link, "Database").await;
    page.wait_for_path("each scenario has its address", |path| path == "/lab?scenario=database").await;
    adjust(page, &[("Batches", "3"), ("Tasks per batch", "40")]).await;
    page.click(Role::Button, "Run the tasks").await;
    page.find(Role::Heading, "120 tasks in 3 batches on 8 connections").await;
    wait_for_state(page, JobState::Done).await;
    page.find(Role::Heading, "Connections over time").await;
    let tiles = page.texts(".lab_tile").await;
    assert!(tiles.iter().any(|tile| tile.starts_with("Leaked\n0")), "{tiles:?}");
    assert!(!tiles.concat().contains("refused"), "{tiles:?}");
    page.find(Role::Heading, "120 tasks, 8 connections, 0 leaked").await;
    page.find(Role::Heading, "What we made fail").await;
    page.wait_for_text("every connection came back").await;
    page.click(Role::Button, "The same as a table").await;
    eventually("the lines are shown as a table", async || {
        (page.texts(".figures_table tbody tr").await.len() > 10).then_some(())
    })
    .await;
    page.assert_accessible("the pool over time").await;
    test.finish().await;
}

#[tokio::test]
async fn the_trap_and_its_cure_stand_side_by_side() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab?scenario=trap").await;
    adjust(page, &[("Write delay", "1500")]).await;
    page.click(Role::Button, "Kill the server now").await;
    wait_for_state(page, JobState::Done).await;
    let verdicts = page.texts(".lane_verdict strong").await;
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
    assert!(verdicts[0].ends_with(" s wait"), "{verdicts:?}");
    assert_eq!(verdicts[1], "Row lost");
    assert!(verdicts[2].ends_with(", row survived"), "{verdicts:?}");
    // Marks stand where their times are: a kill a third of the delay after the answer, on an axis that ends later.
    let killed = page.attribute(".lane_mark[data-mark=killed]", "style").await.unwrap_or_default();
    let left: f64 = killed.split(['%', ':']).find_map(|part| part.trim().parse().ok()).unwrap_or_default();
    assert!((2.0..40.0).contains(&left), "{killed}");
    let labels = page.texts(".lane_label").await;
    for (label, expected) in
        labels.iter().zip(["answered", "row written", "killed", "row lost", "killed", "row written"])
    {
        assert!(label.starts_with(expected), "{expected:?} in {labels:?}");
    }
    assert_eq!(labels.len(), 6, "{labels:?}");
    page.wait_for_text("The rule:").await;
    page.wait_for_text("and the kill took the row with it").await;
    page.assert_accessible("three lanes").await;
    test.finish().await;
}

#[tokio::test]
async fn an_unknown_run_says_so() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("404");
    page.open(&format!("/lab/runs/{}", LabRunId::from_parts(1, 1))).await;
    page.find(Role::Heading, "There is no such run").await;
    page.click(Role::Link, "Go to the lab").await;
    page.wait_for_path("and leads to the lab", |path| path == "/lab").await;
    test.finish().await;
}

/// Unfolds the fields and fills some of them.
pub(crate) async fn adjust(page: &Browser, fields: &[(&str, &str)]) {
    page.click(Role::Button, "Adjust").await;
    for (name, text) in fields {
        page.fill(name, text).await;
    }
}

/// Starts one style alone, and waits for its page.
async fn run_alone(page: &Browser, style: &str, fields: &[(&str, &str)]) {
    page.open("/lab").await;
    adjust(page, fields).await;
    page.click(Role::Button, "Only one style").await;
    page.click(Role::Radio, style).await;
    page.click(Role::Button, "Run this style alone").await;
    page.wait_for_path("the run's page", |path| path.starts_with("/lab/runs/")).await;
}

async fn wait_for_listed(page: &Browser, title: &str) {
    eventually("the run is among the latest runs", async || {
        let rows = page.texts(".run_table tbody tr").await;
        rows.iter().any(|row| row.contains(title) && row.contains("Done")).then_some(())
    })
    .await;
}

pub(crate) async fn wait_for_state(page: &Browser, state: JobState) {
    eventually(&format!("the run is {}", state.as_str()), async || {
        page.texts(".lab_run_head .state_badge")
            .await
            .iter()
            .any(|badge| badge.to_lowercase().contains(state.as_str()))
            .then_some(())
    })
    .await;
}

/// How many requests are done, as the run's figures say it.
pub(crate) async fn count_done(page: &Browser) -> String {
    let tiles = page.texts(".lab_tile").await;
    let done = tiles.iter().find_map(|tile| tile.strip_prefix("Done\n"));
    done.and_then(|rest| rest.lines().next()).unwrap_or_default().to_owned()
}

/// The legend's count of requests in this state.
async fn count_of(page: &Browser, state: &str) -> u64 {
    let entries = page.texts(".state_legend_entry").await;
    let entry = entries.iter().find_map(|entry| entry.trim().strip_prefix(state));
    let digits: String = entry.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

async fn wait_for_all_flags(page: &Browser) {
    eventually("every flag has arrived", async || {
        let rows = page.texts(".waterfall_row").await.len();
        let arrivals = page.texts(".arrival").await.len();
        (rows == 20 && arrivals == 20 && count_done(page).await == "20").then_some(())
    })
    .await;
    eventually("each bar has its flag", async || (page.script(DRAWN_FLAGS, vec![]).await == 20).then_some(())).await;
}

/// The number of images that have been loaded, including those below the window's edge.
const DRAWN_FLAGS: &str = "const flags = Array.from(document.querySelectorAll('.waterfall_row img'));
    return flags.filter(flag => flag.naturalWidth > 0).length";
