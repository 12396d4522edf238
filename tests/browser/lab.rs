//! Visitors run the lab's scenarios and see how their styles differ.

use api::{JobState, LabRunId};
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::BrowserTest;

#[tokio::test]
async fn a_run_can_be_watched_and_reopened_by_its_address() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("404");
    page.open("/nowhere").await;
    page.wait_for_text("There is no such page").await;
    page.press(['g', 'w']).await;
    page.wait_for_path("g w leads to the lab", |path| path == "/lab").await;
    page.wait_for_text("No run yet").await;
    page.click(Role::Button, "20 flags").await;
    page.fill("Latency", "200").await;
    page.fill("Jitter", "100").await;
    page.wait_for_text("Takes at least 200 ms.").await;
    page.click(Role::Button, "Start").await;
    page.find(Role::Heading, "20 flags on 20 threads").await;
    wait_for_state(page, JobState::Done).await;
    wait_for_all_flags(page).await;

    page.click(Role::Link, "20 flags on 20 threads").await;
    let address = page.wait_for_path("the run's page", |path| path.starts_with("/lab/runs/")).await;
    page.reload().await;
    assert_eq!(page.path().await, address);
    page.find(Role::Heading, "20 flags on 20 threads").await;
    wait_for_all_flags(page).await;
    page.assert_accessible("a run that is over").await;

    page.click(Role::Button, "All requests as a table").await;
    eventually("the table has a row for each flag", async || {
        (page.texts(".figures_table tbody tr").await.len() == 20).then_some(())
    })
    .await;
    page.click(Role::Link, "Lab").await;
    eventually("the run is among the runs so far", async || {
        let rows = page.texts(".run_table tbody tr").await;
        rows.iter().any(|row| row.contains("20 flags on 20 threads") && row.contains("done")).then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn a_run_is_cancelled_and_stays_readable() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.click(Role::Button, "10 × 2 s in sequence").await;
    page.click(Role::Button, "Start").await;
    page.find(Role::Heading, "10 × 2 s in sequence").await;
    wait_for_state(page, JobState::Running).await;
    eventually("the first request runs", async || (count_of(page, "running").await > 0).then_some(())).await;
    page.click(Role::Button, "Cancel").await;
    wait_for_state(page, JobState::Cancelled).await;
    page.wait_for_text("This run was cancelled").await;
    assert!(page.find_now(Role::Button, "Cancel").await.is_none(), "a run that has ended cannot be cancelled");
    page.click(Role::Link, "10 × 2 s in sequence").await;
    page.wait_for_path("the run's page", |path| path.starts_with("/lab/runs/")).await;
    page.reload().await;
    page.wait_for_text("This run was cancelled").await;
    eventually("all bars are shown again", async || (page.texts(".waterfall_row").await.len() == 10).then_some(()))
        .await;
    test.finish().await;
}

#[tokio::test]
async fn the_styles_are_compared_in_turn() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.fill("Latency", "150").await;
    page.click(Role::Button, "Compare all styles").await;
    let rows = eventually("three runs have ended", async || {
        let rows = page.texts(".run_table tbody tr").await;
        let done = rows.iter().filter(|row| row.contains("done")).count();
        (done == 3).then_some(rows)
    })
    .await;
    // Newest first.
    for (row, title) in rows.iter().zip(["10 × 150 ms, async", "10 × 150 ms on 10 threads", "10 × 150 ms in sequence"])
    {
        assert!(row.contains(title), "{row}");
    }
    assert!(rows[2].contains("1.0×"), "the slowest is the reference: {}", rows[2]);
    let longest = page.script(WIDEST_BAR, vec![]).await;
    assert_eq!(longest, 2, "the sequence has the longest bar");
    page.assert_accessible("runs side by side").await;
    test.finish().await;
}

#[tokio::test]
async fn a_thousand_requests_stay_readable_and_cheap() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.click(Role::Button, "1,000 async").await;
    page.fill("Latency", "500").await;
    page.click(Role::Button, "Start").await;
    wait_for_state(page, JobState::Done).await;
    assert_eq!(count_of(page, "done").await, 1_000);
    let elements = page.script("return document.querySelectorAll('.lab_run *').length", vec![]).await;
    assert!(elements.as_u64().is_some_and(|count| count < 1_000), "{elements} elements draw a thousand requests");

    // The slider shows the figures of each request, by keyboard.
    page.script("document.querySelector('.slider_row input').focus()", vec![]).await;
    page.press(['\u{e014}', '\u{e014}']).await;
    page.wait_for_text("#3: done").await;
    page.assert_accessible("a dense waterfall").await;
    test.finish().await;
}

#[tokio::test]
async fn futures_show_their_states_and_callbacks() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.click(Role::Radio, "Futures").await;
    page.click(Role::Radio, "As they come").await;
    page.fill("Threads", "4").await;
    page.fill("Latency", "100").await;
    page.click(Role::Button, "Start").await;
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
    page.fill("Requests", "0").await;
    page.wait_for_text("Enter a number from 1 to 1,000.").await;
    page.click(Role::Radio, "Sequential").await;
    page.fill("Requests", "23").await;
    page.wait_for_text("This would take at least 46 s").await;
    page.click(Role::Button, "Start").await;
    let focused = page.script("return document.activeElement.id", vec![]).await;
    assert_eq!(focused, "lab-count", "starting anyway moves the focus to the field");
    assert_eq!(page.texts(".lab_run").await.len(), 0);
    // Enter in a field starts the run.
    page.fill("Requests", "1").await;
    page.fill("Latency", "10").await;
    page.press([key::ENTER]).await;
    wait_for_state(page, JobState::Done).await;
    test.finish().await;
}

#[tokio::test]
async fn the_pool_of_connections_is_drawn() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.click(Role::Link, "Database").await;
    page.wait_for_path("each scenario has its address", |path| path == "/lab?scenario=database").await;
    page.fill("Batches", "3").await;
    page.fill("Tasks in each", "40").await;
    page.click(Role::Button, "Start").await;
    page.find(Role::Heading, "120 tasks in 3 batches on 8 connections").await;
    wait_for_state(page, JobState::Done).await;
    page.find(Role::Heading, "Connections over time").await;
    let tiles = page.texts(".lab_tile").await;
    for none in ["Leaked\n0", "Refused\n0"] {
        assert!(tiles.iter().any(|tile| tile.starts_with(none)), "{none:?} in {tiles:?}");
    }
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
    page.fill("Write delay", "1500").await;
    page.click(Role::Button, "Start").await;
    wait_for_state(page, JobState::Done).await;
    let conclusions = page.texts(".lane_conclusion").await;
    let wanted = ["its row is in the log.", "its row is gone.", "its row arrived after the restart."];
    assert_eq!(conclusions.len(), wanted.len());
    for (conclusion, wanted) in conclusions.iter().zip(wanted) {
        assert!(conclusion.ends_with(wanted), "{conclusions:?}");
    }
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

const WIDEST_BAR: &str = "const widths = Array.from(document.querySelectorAll('.run_bar_done'), e => e.offsetWidth);
    return widths.indexOf(Math.max(...widths))";

async fn wait_for_state(page: &Browser, state: JobState) {
    eventually(&format!("the run is {}", state.as_str()), async || {
        page.texts(".lab_run_head .state_badge").await.iter().any(|badge| badge.contains(state.as_str())).then_some(())
    })
    .await;
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
        (rows == 20 && arrivals == 20 && count_of(page, "done").await == 20).then_some(())
    })
    .await;
    eventually("each bar has its flag", async || (page.script(DRAWN_FLAGS, vec![]).await == 20).then_some(())).await;
}

/// The number of images that have been loaded, including those below the window's edge.
const DRAWN_FLAGS: &str = "const flags = Array.from(document.querySelectorAll('.waterfall_row img'));
    return flags.filter(flag => flag.naturalWidth > 0).length";
