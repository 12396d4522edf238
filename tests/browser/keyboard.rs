//! Each task from its beginning to its end, without a pointer.

use api::JobState;
use serde_json::json;
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::console::{focused, tab_to};
use crate::jobs::wait_for_count;
use crate::log::{FILTER_IS_FOCUSED, wait_for_phrases};
use crate::{BrowserTest, NAME, PASSWORD, job_about, search};

/// Presses Tab until the field with this id has the focus.
async fn tab_to_field(page: &Browser, id: &str) {
    for _ in 0..40 {
        if page.script("return document.activeElement?.id", vec![]).await == id {
            return;
        }
        page.press([key::TAB]).await;
    }
    panic!("Tab does not lead to the field {id:?}");
}

/// Whether what has the focus shows it.
async fn is_focus_visible(page: &Browser) -> bool {
    let script = "const e = document.activeElement, s = getComputedStyle(e);
                  return e.matches(':focus-visible') && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2";
    page.script(script, vec![]).await == true
}

#[tokio::test]
async fn a_search_is_made_and_followed_to_its_proof() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    tab_to_field(page, "phrase").await;
    page.type_text("life, the universe").await;
    tab_to(page, "Do it!").await;
    assert!(is_focus_visible(page).await, "of the button");
    page.press([key::ENTER]).await;
    page.wait_for_text("In the log: row 1").await;
    tab_to(page, "See what happens if we kill the server").await;
    page.press([key::ENTER]).await;
    page.wait_for_path("the trap", |path| path == "/lab?scenario=trap").await;
    test.finish().await;
}

#[tokio::test]
async fn a_filter_is_corrected_and_its_rows_are_read() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "the first").await;
    search(&test.client(), 2, "the second").await;
    wait_for_phrases(page, &["the second", "the first"]).await;
    page.press(['/']).await;
    page.type_text("prase:~second").await;
    page.wait_for_text("There is no field “prase”").await;
    page.assert_accessible("a filter with a button that corrects it").await;
    tab_to(page, "Did you mean “phrase:”?").await;
    assert!(is_focus_visible(page).await, "of the button");
    page.press([key::ENTER]).await;
    wait_for_phrases(page, &["the second"]).await;
    assert_eq!(page.value("Filter the log").await, "phrase:~second");
    assert_eq!(page.script(FILTER_IS_FOCUSED, vec![]).await, true, "the visitor can go on typing");

    page.press([key::ESCAPE, 'j', key::ENTER]).await;
    page.find(Role::Dialog, "Row 2").await;
    page.press([key::ESCAPE]).await;
    page.wait_for_path("the row is closed", |path| !path.contains("row=")).await;
    page.press(['g', 'r']).await;
    page.type_text("1").await;
    page.press([key::ENTER]).await;
    page.wait_for_path("the position is in the address", |path| path.contains("at=1")).await;
    test.finish().await;
}

#[tokio::test]
async fn a_part_of_a_phrase_is_offered_where_the_whole_finds_nothing() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "half off").await;
    wait_for_phrases(page, &["half off"]).await;
    page.press(['/']).await;
    page.type_text("phrase:half").await;
    page.wait_for_text("No row matches this filter.").await;
    tab_to(page, "phrase:~half").await;
    page.press([key::ENTER]).await;
    wait_for_phrases(page, &["half off"]).await;
    assert_eq!(page.script(FILTER_IS_FOCUSED, vec![]).await, true, "the link has gone");
    test.finish().await;
}

#[tokio::test]
async fn jobs_of_a_state_are_listed_and_one_is_retried() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be retried").await;
    page.open("/jobs").await;
    let job = job_about(page, "to be retried").await;
    wait_for_count(page, JobState::Running, "1").await;
    tab_to(page, "Running").await;
    assert!(is_focus_visible(page).await, "of the state");
    page.press([key::ENTER]).await;
    page.wait_for_path("the state is in the address", |path| path == "/jobs?q=state:running").await;
    page.wait_for_text("to be retried").await;
    page.press(['j']).await;
    eventually("the row's link has the focus", async || (focused(page).await == format!("#{job}")).then_some(())).await;
    page.press([key::ENTER]).await;
    page.wait_for_path("the job's page", |path| path == format!("/jobs/{job}")).await;
    page.find(Role::Button, &format!("Cancel job {job}")).await;
    tab_to(page, &format!("Cancel job {job}")).await;
    page.press([key::ENTER]).await;
    page.wait_for_text(&format!("Job #{job} cancelled.")).await;
    eventually("it can be retried", async || {
        page.script("return document.querySelector('[data-action=Retry]') !== null", vec![])
            .await
            .as_bool()
            .filter(|&can_retry| can_retry)
    })
    .await;
    page.assert_accessible("a job that was cancelled").await;
    assert_eq!(focused(page).await, format!("#{job}"), "the heading has the focus of the button that has gone");
    tab_to(page, &format!("Retry job {job}")).await;
    page.press([key::ENTER]).await;
    page.wait_for_text(&format!("Job #{job} waits for a worker again.")).await;
    page.find(Role::Button, &format!("Cancel job {job}")).await;
    page.press(['z']).await;
    page.find(Role::Button, &format!("Retry job {job}")).await;
    assert_eq!(focused(page).await, format!("#{job}"), "after the key for Undo too");
    test.finish().await;
}

#[tokio::test]
async fn a_row_keeps_the_focus_when_its_job_changes() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "changes under the eyes of a reader").await;
    page.open("/jobs").await;
    let job = job_about(page, "changes under the eyes").await;
    let row = format!("#{job}");
    wait_for_count(page, JobState::Running, "1").await;
    let has_focus = async |why: &str| {
        eventually(why, async || (focused(page).await == row).then_some(())).await;
    };
    eventually("the row is chosen", async || {
        page.press(['j']).await;
        (focused(page).await == row).then_some(())
    })
    .await;
    let cancel = "const [id, done] = arguments;
        fetch('/api/admin/jobs/cancel', {method: 'POST', headers: {'content-type': 'application/json'},
                                         body: JSON.stringify({id})}).then(answer => done(answer.status))";
    let number: i64 = job.parse().expect("a number");
    assert_eq!(page.script_async(cancel, vec![number.into()]).await, 200);
    wait_for_count(page, JobState::Cancelled, "1").await;
    page.find(Role::Button, &format!("Retry job {job}")).await;
    assert_eq!(focused(page).await, row, "another cancelled it");
    tab_to(page, &format!("Retry job {job}")).await;
    page.press([key::ENTER]).await;
    page.wait_for_text(&format!("Job #{job} waits for a worker again.")).await;
    page.find(Role::Button, &format!("Cancel job {job}")).await;
    has_focus("the row has it once the button has gone").await;
    test.finish().await;
}

#[tokio::test]
async fn a_cause_is_followed_to_what_can_be_done() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let pause = "const [body, done] = arguments;
        fetch('/api/admin/jobs/pause', {method: 'POST', headers: {'content-type': 'application/json'}, body})
            .then(answer => done(answer.status))";
    let kind = json!({"kind": "log_request"}).to_string();
    search(&test.client(), 1, "makes the job type known").await;
    page.wait_for_text("through row 1").await;
    assert_eq!(page.script_async(pause, vec![kind.into()]).await, 200);
    page.open("/system").await;
    page.find(Role::Link, "See the job types").await;
    tab_to(page, "See the job types").await;
    assert!(is_focus_visible(page).await, "of the link");
    page.press([key::ENTER]).await;
    page.wait_for_path("the jobs", |path| path.starts_with("/jobs")).await;
    eventually("the job types have the focus", async || focused(page).await.starts_with("Job types").then_some(()))
        .await;
    tab_to(page, "Resume log_request").await;
    page.press([key::ENTER]).await;
    page.wait_for_text("log_request runs again.").await;
    test.finish().await;
}

#[tokio::test]
async fn jobs_of_one_type_are_listed() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "of another type").await;
    page.open("/jobs?kind=probe").await;
    page.wait_for_text("No job matches this filter.").await;
    assert!(!page.text().await.contains("of another type"));
    tab_to(page, "Show all jobs").await;
    page.press([key::ENTER]).await;
    page.wait_for_text("of another type").await;
    test.finish().await;
}

#[tokio::test]
async fn an_administrator_logs_out_and_in() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.find(Role::Button, "Account of").await;
    tab_to(page, &format!("Account of {NAME}")).await;
    assert!(is_focus_visible(page).await, "of the account");
    page.press([key::ENTER]).await;
    page.find(Role::Button, "Log out").await;
    tab_to(page, "Log out").await;
    page.press([key::ENTER]).await;
    page.wait_for_text("You are logged out").await;
    page.open("/login?next=/system").await;
    page.find(Role::Button, "Log in").await;
    tab_to_field(page, "name").await;
    page.type_text(NAME).await;
    tab_to_field(page, "password").await;
    page.type_text(PASSWORD).await;
    page.press([key::ENTER]).await;
    page.wait_for_path("the login leads back", |path| path == "/system").await;
    page.find(Role::Heading, "Ledger").await;
    test.finish().await;
}
