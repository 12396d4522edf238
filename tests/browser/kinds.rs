//! An administrator pauses and limits the kinds of jobs.

use api::{FetchSpec, LabRunId, LabSpec};
use serde_json::{Value, json};
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::jobs::requests;
use crate::{BrowserTest, job_about, search};

const FIELD: &str = "Limit of log_request";

#[tokio::test]
async fn a_kind_is_paused_and_resumed() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    open_kinds(page).await;
    search(&test.client(), 1, "written").await;
    page.wait_for_text("written").await;
    page.click(Role::Button, "Pause log_request").await;
    page.find(Role::Button, "Resume log_request").await;
    assert_eq!(page.texts(".kind_paused").await, ["paused"]);
    page.assert_accessible("/jobs with a kind that is paused").await;
    search(&test.client(), 2, "waits for somebody").await;
    wait_for_counts(page, "1", "0").await;
    page.wait_for_text("waits for somebody").await;
    let job = job_about(page, "waits for somebody").await;
    page.click(Role::Link, &format!("#{job}")).await;
    page.wait_for_text("Jobs of the type log_request are paused").await;

    // By keyboard: the button keeps the focus and gets its new label.
    open_kinds(page).await;
    page.find(Role::Button, "Resume log_request").await;
    page.script("document.querySelector('.kind_buttons button').focus()", vec![]).await;
    page.press([key::ENTER]).await;
    page.find(Role::Button, "Pause log_request").await;
    wait_for_counts(page, "0", "0").await;
    let focused = page.script("return document.activeElement.getAttribute('aria-label')", vec![]).await;
    assert_eq!(focused, "Pause log_request");
    page.open("/viewlog").await;
    page.wait_for_text("waits for somebody").await;
    test.finish().await;
}

#[tokio::test]
async fn a_double_click_pauses_and_an_abandoned_press_does_nothing() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "written").await;
    open_kinds(page).await;
    // The list above the button has its final height.
    page.wait_for_text("written").await;
    page.find(Role::Button, "Pause log_request").await;
    let centre = "const box = document.querySelector('.kind_buttons button').getBoundingClientRect();
                  return [box.x + box.width / 2, box.y + box.height / 2]";
    let centre = page.script(centre, vec![]).await;
    let mouse = async |kind: &str, x: &Value, y: &Value, clicks: u32| {
        let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": clicks});
        page.devtools("Input.dispatchMouseEvent", event).await;
    };
    let (x, y) = (&centre[0], &centre[1]);
    mouse("mousePressed", x, y, 1).await;
    mouse("mouseReleased", x, y, 1).await;
    wait_for_button(page, "Resume log_request").await;
    mouse("mousePressed", x, y, 2).await;
    mouse("mouseReleased", x, y, 2).await;

    // Pressed while it says Resume, and released elsewhere.
    mouse("mousePressed", x, y, 1).await;
    mouse("mouseReleased", &json!(5), &json!(5), 1).await;
    assert_eq!(requests(page, "/jobs/resume").await, 0);
    // By keyboard, the button does what it says.
    page.script("document.querySelector('.kind_buttons button').focus()", vec![]).await;
    page.press([key::ENTER]).await;
    wait_for_button(page, "Pause log_request").await;
    page.press([key::ENTER]).await;
    wait_for_button(page, "Resume log_request").await;
    assert_eq!((requests(page, "/jobs/resume").await, requests(page, "/jobs/pause").await), (1, 2));
    test.finish().await;
}

#[tokio::test]
async fn a_kind_is_limited() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "the first").await;
    open_kinds(page).await;
    wait_for_counts(page, "0", "1").await;
    assert_eq!(page.value(FIELD).await, "");
    let is_offered = async || page.find_now(Role::Button, "Set the limit of log_request").await.is_some();
    assert!(!is_offered().await, "nothing was typed");
    page.fill(FIELD, "2").await;
    assert!(is_offered().await);
    page.press([key::ENTER]).await;
    wait_for_limit(&test, Some(2)).await;
    for number in 2..=5 {
        search(&test.client(), number, "another").await;
    }
    wait_for_counts(page, "3", "2").await;

    // An invalid limit is explained beside the field and changes nothing.
    for (text, why) in [("0", "At least 1."), ("many", "A whole number")] {
        page.fill(FIELD, text).await;
        page.click(Role::Button, "Set the limit of log_request").await;
        page.wait_for_text(why).await;
        let invalid = page.script("return document.querySelector('[aria-invalid]').value", vec![]).await;
        assert_eq!(invalid, text);
        page.assert_accessible(&format!("/jobs with the limit {text:?}")).await;
    }
    wait_for_limit(&test, Some(2)).await;
    // After a reload the field shows the valid limit.
    open_kinds(page).await;
    eventually("the field shows the limit", async || (page.value(FIELD).await == "2").then_some(())).await;
    // Emptied by keys, as a person does it: the driver's `clear` sends no event to the page.
    page.fill(FIELD, &format!("7{}", key::BACKSPACE)).await;
    page.click(Role::Button, "Set the limit of log_request").await;
    wait_for_limit(&test, None).await;
    wait_for_counts(page, "0", "5").await;
    test.finish().await;
}

#[tokio::test]
async fn an_unreachable_server_is_reported_and_moves_nothing() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "hello").await;
    open_kinds(page).await;
    page.wait_for_text("hello").await;
    page.find(Role::Button, "Pause log_request").await;
    page.expect_on_console("ERR_");
    test.server.kill().await;
    let tops =
        "return ['.kind_table', '.job_table'].map(name => document.querySelector(name).getBoundingClientRect().top)";
    let before = page.script(tops, vec![]).await;
    page.click(Role::Button, "Pause log_request").await;
    eventually("the error is in its corner", async || {
        let results = page.texts(".toast p").await.concat();
        (results.contains("It is not known whether log_request was changed.")
            && results.contains("The server cannot be reached"))
        .then_some(())
    })
    .await;
    assert_eq!(page.script(tops, vec![]).await, before);
    page.assert_accessible("/jobs with a kind's error").await;
    page.find(Role::Button, "Pause log_request").await;
    test.browser.finish().await;
}

#[tokio::test]
async fn a_new_kind_moves_no_button_under_the_pointer() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "the first").await;
    open_kinds(page).await;
    wait_for_counts(page, "0", "1").await;
    let job = job_about(page, "the first").await;
    page.find(Role::Button, &format!("Cancel job {job}")).await;
    let centre = "const box = document.querySelector('[data-action=Cancel]').getBoundingClientRect();
                  return [box.x + box.width / 2, box.y + box.height / 2]";
    let centre = page.script(centre, vec![]).await;
    let point = async |x: &Value, y: &Value| {
        page.devtools("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y})).await;
    };
    point(&centre[0], &centre[1]).await;
    let kinds = page.texts(".kind_name .job_kind").await;
    let start = "const [body, done] = arguments;
        fetch('/api/lab/runs/start', {method: 'POST', headers: {'content-type': 'application/json'}, body})
            .then(answer => done(answer.status))";
    let run = json!({"id": LabRunId::from_parts(1, 1), "spec": LabSpec::Fetch(FetchSpec::FIRST)}).to_string();
    assert_eq!(page.script_async(start, vec![run.into()]).await, 200);
    // The page has heard of the new kind when it counts a job that was made later.
    search(&test.client(), 2, "the second").await;
    wait_for_counts(page, "0", "2").await;
    assert_eq!(page.texts(".kind_name .job_kind").await, kinds, "the new kind is held back");
    point(&json!(5), &json!(5)).await;
    page.wait_for_text("lab_run").await;
    page.find(Role::Button, "Pause lab_run").await;
    test.finish().await;
}

#[tokio::test]
async fn the_heading_leads_to_the_job_types() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "written").await;
    page.open("/jobs").await;
    page.click(Role::Link, "log_request").await;
    page.find(Role::Button, "Pause log_request").await;
    page.wait_for_text("writes searches to the log").await;
    test.finish().await;
}

/// Opens the page of the jobs, and the types below their list.
async fn open_kinds(page: &Browser) {
    page.open("/jobs").await;
    page.click(Role::Button, "Job types").await;
}

/// Waits until the first kind's button has this name and can be pressed. The stream may rename it before
/// the answer to the press has come.
async fn wait_for_button(page: &Browser, name: &str) {
    eventually(&format!("{name} can be pressed"), async || {
        let is_named = page.attribute(".kind_buttons button", "aria-label").await.as_deref() == Some(name);
        (is_named && page.attribute(".kind_buttons button", "aria-disabled").await.is_none()).then_some(())
    })
    .await;
}

/// Waits until this many log jobs wait and run.
async fn wait_for_counts(page: &Browser, waiting: &str, running: &str) {
    eventually(&format!("{waiting} wait and {running} run"), async || {
        let counts = [page.texts(".kind_waiting").await, page.texts(".kind_running").await];
        let log = counts.map(|counts| counts.into_iter().next().unwrap_or_default());
        (log == [waiting, running]).then_some(())
    })
    .await;
}

/// Waits until the server has this limit.
async fn wait_for_limit(test: &BrowserTest, limit: Option<u32>) {
    let kinds = "const done = arguments[0];
        fetch('/api/admin/jobs/kinds', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'})
            .then(answer => answer.json()).then(kinds => done(kinds[0].limit))";
    eventually(&format!("the limit is {limit:?}"), async || {
        (test.browser.script_async(kinds, vec![]).await == json!(limit)).then_some(())
    })
    .await;
}
