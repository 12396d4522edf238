//! An administrator steers jobs.

use api::JobState;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tests::browser::{Browser, Role};
use tests::eventually::eventually;

use crate::stage::{Stage, search};

#[tokio::test]
async fn a_running_job_is_cancelled_and_then_retried() {
    let mut stage = Stage::open_for_administrator(&["--log-delay", "1h"]).await;
    let page = &stage.browser;
    search(&stage.client(), 1, "to be cancelled").await;
    page.open("/jobs").await;
    page.wait_for_text("to be cancelled").await;
    wait_for_count(page, JobState::Running, "1").await;
    page.click(Role::Button, "Cancel job 1").await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    wait_for_count(page, JobState::Running, "0").await;

    // With a log that is not slow any more, the retried job gets through.
    page.expect_on_console("ERR_");
    stage.server.kill().await;
    stage.server = stage.installation.start(&[]).await;
    page.open("/jobs/1").await;
    page.wait_for_text("cancelled").await;
    page.click(Role::Button, "Retry job 1").await;
    eventually("the job's page says done", async || {
        page.texts(".state_badge").await.iter().any(|state| state.contains("done")).then_some(())
    })
    .await;
    page.open("/viewlog").await;
    page.wait_for_text("to be cancelled").await;
    page.wait_for_text("complete through #1").await;
    stage.finish().await;
}

#[tokio::test]
async fn the_counts_lead_to_lists_that_stay_live() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    let client = stage.client();
    search(&client, 1, "the first").await;
    page.open("/jobs").await;
    wait_for_count(page, JobState::Done, "1").await;
    page.click(Role::Link, "done").await;
    page.wait_for_path("the filter is in the address", |path| path == "/jobs?state=done").await;
    page.wait_for_text("the first").await;
    search(&client, 2, "the second").await;
    wait_for_count(page, JobState::Done, "2").await;
    page.wait_for_text("the second").await;
    page.open("/jobs?state=dead").await;
    wait_for_count(page, JobState::Dead, "0").await;
    assert!(!page.text().await.contains("the first"));
    stage.finish().await;
}

#[tokio::test]
async fn the_jobs_page_tells_its_payload_and_its_attempts() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    search(&stage.client(), 1, "what the job is about").await;
    page.open("/jobs").await;
    page.click(Role::Link, "#1").await;
    page.wait_for_path("the job's page", |path| path == "/jobs/1").await;
    page.find(Role::Heading, "Payload").await;
    page.find(Role::Heading, "Attempts").await;
    let payload = page.texts("pre").await.concat();
    assert!(payload.contains("what the job is about"), "{payload}");
    stage.finish().await;
}

#[tokio::test]
async fn a_running_job_shows_how_far_it_is() {
    let stage = Stage::open_for_administrator(&["--log-delay", "1h"]).await;
    let page = &stage.browser;
    let client = stage.client();
    search(&client, 1, "takes its time").await;
    page.open("/jobs/1").await;
    page.wait_for_text("running").await;
    assert_eq!(page.attribute("[role=progressbar]", "aria-valuenow").await, None, "it has said nothing yet");
    let file = SqliteConnectOptions::new().filename(stage.installation.database());
    let mut other = SqliteConnection::connect_with(&file).await.expect("another program may open the file");
    for (number, percent) in [(2, 42), (3, 43)] {
        sqlx::query("insert or replace into job_report (job_id, percent, note, result) values (1, ?1, ?2, 'a result')")
            .bind(percent)
            .bind(format!("{percent} of 100 <b>\u{1b}</b>"))
            .execute(&mut other)
            .await
            .expect("written");
        // What another program writes wakes nobody.
        search(&client, number, "another").await;
        eventually("the page shows how far it is", async || {
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
    assert_eq!(drawn.as_deref(), Some("once"), "only the bar was drawn anew");
    page.assert_accessible("a job that says how far it is").await;
    page.open("/jobs").await;
    eventually("the list says it too", async || (page.texts(".job_percent").await == ["43%"]).then_some(())).await;
    page.assert_accessible("a list with a job that says how far it is").await;
    stage.finish().await;
}

async fn wait_for_count(page: &Browser, state: JobState, count: &str) {
    let wanted = [state.word().to_owned(), count.to_owned()];
    eventually(&format!("{count} jobs are {}", state.word()), async || {
        let links = page.texts("nav a[href^='/jobs?state=']").await;
        links.iter().any(|text| text.split_whitespace().eq(wanted.iter())).then_some(())
    })
    .await;
}
