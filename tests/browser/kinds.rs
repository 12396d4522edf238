//! An administrator pauses, resumes and limits kinds of jobs.

use tests::browser::{Browser, Role, key};
use tests::eventually::eventually;

use crate::stage::{Stage, search};

const FIELD: &str = "Most log_request jobs at a time";

#[tokio::test]
async fn a_kind_is_paused_and_resumed() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.open("/jobs").await;
    page.wait_for_text("There are none yet").await;
    search(&stage.client(), 1, "written").await;
    page.wait_for_text("written").await;
    page.click(Role::Button, "Pause log_request").await;
    page.find(Role::Button, "Resume log_request").await;
    assert_eq!(page.texts(".kind_paused").await, ["paused"]);
    search(&stage.client(), 2, "waits for somebody").await;
    wait_for_figures(page, "1", "0").await;
    page.wait_for_text("waits for somebody").await;
    page.click(Role::Link, "#2").await;
    page.wait_for_text("Jobs of the kind log_request are paused").await;

    // By keyboard: the button keeps the focus and says what it does now.
    page.open("/jobs").await;
    page.find(Role::Button, "Resume log_request").await;
    page.script("document.querySelector('.kind_buttons button').focus()", vec![]).await;
    page.press([key::ENTER]).await;
    page.find(Role::Button, "Pause log_request").await;
    wait_for_figures(page, "0", "0").await;
    let focused = page.script("return document.activeElement.getAttribute('aria-label')", vec![]).await;
    assert_eq!(focused, "Pause log_request");
    page.open("/viewlog").await;
    page.wait_for_text("waits for somebody").await;
    stage.finish().await;
}

#[tokio::test]
async fn a_kind_is_limited() {
    let stage = Stage::open_for_administrator(&["--log-delay", "1h"]).await;
    let page = &stage.browser;
    search(&stage.client(), 1, "the first").await;
    page.open("/jobs").await;
    wait_for_figures(page, "0", "1").await;
    assert_eq!(page.value(FIELD).await, "");
    page.fill(FIELD, "2").await;
    page.press([key::ENTER]).await;
    wait_for_limit(&stage, Some(2)).await;
    for number in 2..=5 {
        search(&stage.client(), number, "another").await;
    }
    wait_for_figures(page, "3", "2").await;

    // What is no limit is said beside the field, and changes nothing.
    for (text, why) in [("0", "At least 1."), ("many", "A whole number")] {
        page.fill(FIELD, text).await;
        page.click(Role::Button, "Set the limit of log_request").await;
        page.wait_for_text(why).await;
        let invalid = page.script("return document.querySelector('[aria-invalid]').value", vec![]).await;
        assert_eq!(invalid, text);
    }
    wait_for_limit(&stage, Some(2)).await;
    // What the field shows is what holds.
    page.open("/jobs").await;
    eventually("the field shows the limit", async || (page.value(FIELD).await == "2").then_some(())).await;
    // A person empties it by keys; what the driver calls clearing tells the page nothing.
    page.fill(FIELD, &format!("7{}", key::BACKSPACE)).await;
    page.click(Role::Button, "Set the limit of log_request").await;
    wait_for_limit(&stage, None).await;
    wait_for_figures(page, "0", "5").await;
    stage.finish().await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_of() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    search(&stage.client(), 1, "hello").await;
    page.open("/jobs").await;
    page.find(Role::Button, "Pause log_request").await;
    page.expect_on_console("ERR_");
    stage.server.kill().await;
    page.click(Role::Button, "Pause log_request").await;
    page.wait_for_text("The server cannot be reached").await;
    page.find(Role::Button, "Pause log_request").await;
    stage.browser.finish().await;
}

/// How many jobs of the log wait and run.
async fn wait_for_figures(page: &Browser, waiting: &str, running: &str) {
    eventually(&format!("{waiting} wait and {running} run"), async || {
        let figures = [page.texts(".kind_waiting").await, page.texts(".kind_running").await];
        let log = figures.map(|figures| figures.into_iter().next().unwrap_or_default());
        (log == [waiting, running]).then_some(())
    })
    .await;
}

/// As the server knows it.
async fn wait_for_limit(stage: &Stage, limit: Option<u32>) {
    let kinds = "const done = arguments[0];
        fetch('/api/admin/jobs/kinds', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'})
            .then(answer => answer.json()).then(kinds => done(kinds[0].limit))";
    eventually(&format!("the limit is {limit:?}"), async || {
        (stage.browser.script_async(kinds, vec![]).await == serde_json::json!(limit)).then_some(())
    })
    .await;
}
