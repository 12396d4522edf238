//! An administrator works with jobs and their kinds.

use api::JobState;
use serde_json::{Value, json};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::{BrowserTest, job_about, search};

#[tokio::test]
async fn a_running_job_is_cancelled_and_then_retried() {
    let mut test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be cancelled").await;
    page.open("/jobs").await;
    let job = job_about(page, "to be cancelled").await;
    wait_for_count(page, JobState::Running, "1").await;
    page.click(Role::Button, &format!("Cancel job {job}")).await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    wait_for_count(page, JobState::Running, "0").await;

    // The restarted server has a fast log, so the retried job succeeds.
    page.expect_on_console("ERR_");
    test.server.kill().await;
    test.server = test.installation.start(&[]).await;
    page.open(&format!("/jobs/{job}")).await;
    page.wait_for_text("Cancelled").await;
    page.click(Role::Button, &format!("Retry job {job}")).await;
    eventually("the job's page says done", async || {
        page.texts(".state_badge").await.iter().any(|state| state.contains("Done")).then_some(())
    })
    .await;
    page.open("/viewlog").await;
    page.wait_for_text("to be cancelled").await;
    page.wait_for_text("through row 1").await;
    test.finish().await;
}

#[tokio::test]
async fn an_action_is_on_the_job_that_was_under_the_pointer() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    let client = test.client();
    search(&client, 1, "the first").await;
    page.open("/jobs").await;
    wait_for_jobs(page, &["the first"]).await;
    let job = job_about(page, "the first").await;
    let centre = "const box = document.querySelector('[data-action=Cancel]').getBoundingClientRect();
                  return [box.x + box.width / 2, box.y + box.height / 2]";
    let centre = page.script(centre, vec![]).await;
    let pointer = async |kind: &str, x: &Value, y: &Value| {
        let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
        page.devtools("Input.dispatchMouseEvent", event).await;
    };
    let (x, y) = (&centre[0], &centre[1]);
    pointer("mouseMoved", x, y).await;
    // Other jobs would come above it, and take its place.
    search(&client, 2, "the second").await;
    page.wait_for_text("held").await;
    wait_for_jobs(page, &["the first"]).await;
    pointer("mousePressed", x, y).await;
    search(&client, 3, "the third").await;
    wait_for_count(page, JobState::Running, "3").await;
    pointer("mouseReleased", x, y).await;
    page.wait_for_text(&format!("Job #{job} cancelled.")).await;
    page.assert_accessible("a list with an action's result").await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    pointer("mouseMoved", &json!(5), &json!(5)).await;
    wait_for_jobs(page, &["the third", "the second", "the first"]).await;
    eventually("the first job is cancelled, and no other", async || {
        let states = page.texts(".job_state").await;
        (states == ["Running", "Running", "Cancelled"]).then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn an_address_of_nothing_says_so() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.expect_on_console("404");
    for (path, text) in [
        ("/jobs/77", "There is no such job: #77"),
        ("/jobs?state=lost", "There is no state “lost”. All jobs are shown."),
        ("/jobs?before=x", "“x” is no job's number. The newest jobs are shown."),
        ("/viewlog?at=nowhere", "“nowhere” is no row and no time. The newest rows are shown."),
        ("/lab/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "There is no such run"),
        ("/lab/runs/x", "Page not found"),
    ] {
        page.open(path).await;
        page.wait_for_text(text).await;
        page.assert_accessible(path).await;
    }
    test.finish().await;
}

#[tokio::test]
async fn the_counts_lead_to_lists_that_stay_live() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    search(&client, 1, "the first").await;
    page.open("/jobs").await;
    wait_for_count(page, JobState::Done, "1").await;
    page.click(Role::Link, "Done").await;
    page.wait_for_path("the filter is in the address", |path| path == "/jobs?q=state:done").await;
    page.wait_for_text("the first").await;
    search(&client, 2, "the second").await;
    wait_for_count(page, JobState::Done, "2").await;
    page.wait_for_text("the second").await;
    page.open("/jobs?state=dead").await;
    wait_for_count(page, JobState::Dead, "0").await;
    assert!(!page.text().await.contains("the first"));
    test.finish().await;
}

#[tokio::test]
async fn a_jobs_page_shows_its_payload_and_its_attempts() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "what the job is about").await;
    page.open("/jobs").await;
    let job = job_about(page, "what the job is about").await;
    page.click(Role::Link, &format!("#{job}")).await;
    page.wait_for_path("the job's page", |path| path == format!("/jobs/{job}")).await;
    page.find(Role::Heading, "Payload").await;
    page.find(Role::Heading, "Timeline").await;
    page.wait_for_text("Attempt 1 done").await;
    page.find(Role::Button, &format!("Retry job {job}")).await;
    page.wait_for_text("Retry runs it again. Its row is written and stays as it is.").await;
    let payload = page.texts("pre").await.concat();
    assert!(payload.contains("what the job is about"), "{payload}");
    page.click(Role::Link, "Row 1").await;
    page.find(Role::Dialog, "Row 1").await;
    page.back().await;
    page.click(Role::Link, "Jobs").await;
    let job = job_about(page, "what the job is about").await;
    let offered = page.texts(".job_table .job_actions button").await;
    assert_eq!(offered, [""; 0], "job {job} is done: only its page offers to run it again");
    test.finish().await;
}

#[tokio::test]
async fn a_running_job_shows_its_progress() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    let client = test.client();
    search(&client, 1, "takes its time").await;
    page.open("/jobs").await;
    let job: i64 = job_about(page, "takes its time").await.parse().expect("a number");
    page.open(&format!("/jobs/{job}")).await;
    page.wait_for_text("Running").await;
    page.wait_for_text("Cancel stops attempt 1. The search stays out of the log until someone retries it.").await;
    page.wait_for_text("not yet").await;
    assert_eq!(page.attribute("[role=progressbar]", "aria-valuenow").await, None, "it has not reported yet");
    let file = SqliteConnectOptions::new().filename(test.installation.database());
    let mut other = SqliteConnection::connect_with(&file).await.expect("another program may open the file");
    for (number, percent) in [(2, 42), (3, 43)] {
        sqlx::query(
            "insert or replace into job_report (job_id, percent, note, result) values (?1, ?2, ?3, 'a result')",
        )
        .bind(job)
        .bind(percent)
        .bind(format!("{percent} of 100 <b>\u{1b}</b>"))
        .execute(&mut other)
        .await
        .expect("written");
        // Another program's write does not notify the server; a search does.
        search(&client, number, "another").await;
        eventually("the page shows the progress", async || {
            let shown = page.attribute("[role=progressbar]", "aria-valuenow").await;
            (shown == Some(percent.to_string())).then_some(())
        })
        .await;
        page.wait_for_text(&format!("{percent} of 100 <b>␛</b>")).await;
        page.wait_for_text("a result").await;
        if number == 2 {
            page.script("document.querySelector('.payload').dataset.drawn = 'once'", Vec::new()).await;
        }
    }
    let drawn = page.attribute(".payload", "data-drawn").await;
    assert_eq!(drawn.as_deref(), Some("once"), "only the progress bar was drawn again");
    page.assert_accessible("a job with progress").await;
    page.open("/jobs").await;
    eventually("the list shows it too", async || (page.texts(".job_percent").await == ["43%"]).then_some(())).await;
    page.assert_accessible("a list with a job with progress").await;
    test.finish().await;
}

/// Waits until the list shows jobs about these.
async fn wait_for_jobs(page: &Browser, jobs: &[&str]) {
    eventually(&format!("the list shows {jobs:?}"), async || {
        (page.texts(".job_about > span").await == jobs).then_some(())
    })
    .await;
}

pub(crate) async fn wait_for_count(page: &Browser, state: JobState, count: &str) {
    let wanted = [state.as_str(), count];
    eventually(&format!("{count} jobs are {}", state.as_str()), async || {
        let links = page.texts(".state_tab").await;
        links.iter().any(|text| text.to_lowercase().split_whitespace().eq(wanted)).then_some(())
    })
    .await;
}

/// How many requests to this address the document has made.
pub(crate) async fn requests(page: &Browser, address: &str) -> u64 {
    let count =
        "return performance.getEntriesByType('resource').filter(entry => entry.name.endsWith(arguments[0])).length";
    page.script(count, vec![address.into()]).await.as_u64().expect("a number")
}

#[tokio::test]
async fn the_letters_of_a_chord_act_on_no_row() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "stays cancelled").await;
    page.open("/jobs").await;
    let job = job_about(page, "stays cancelled").await;
    page.click(Role::Button, &format!("Cancel job {job}")).await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    page.find(Role::Button, &format!("Retry job {job}")).await;
    page.press(['j', 'g', 'r', '?']).await;
    page.find(Role::Dialog, "Keyboard shortcuts").await;
    assert_eq!(requests(page, "/jobs/retry").await, 0);
    page.press([key::ESCAPE]).await;
    page.press(['j', 'r']).await;
    wait_for_count(page, JobState::Cancelled, "0").await;
    test.finish().await;
}
