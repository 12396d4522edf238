//! A server that says nothing any more: no page waits for it for ever, and none says more than it knows.

use serde_json::Value;
use tests::browser::{Browser, Role};
use tests::eventually;

use crate::{BrowserTest, job_about, search};

#[tokio::test]
async fn a_search_without_an_answer_says_so_and_is_sent_again() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    page.open("/").await;
    page.fill("Phrase", "asked once").await;
    test.server.freeze();
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("Still sending: the server has not answered yet.").await;
    page.wait_for_text("We can't reach the server.").await;
    page.wait_for_text("Your result is correct; we'll keep resending.").await;
    page.wait_for_text("Not accepted yet").await;
    page.wait_for_text("retrying in ").await;
    test.server.thaw();
    page.wait_for_text("In the log: row 1").await;
    page.wait_for_text("because the line was slow or the server could not be reached.").await;
    page.reload().await;
    page.wait_for_text("In the log: row 1").await;
    page.wait_for_text("because the line was slow or the server could not be reached.").await;
    // It was sent more than once, under one id.
    search(&test.client(), 2, "another").await;
    page.open("/").await;
    page.fill("Phrase", "the last").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 3").await;
    test.finish().await;
}

#[tokio::test]
async fn the_public_ledger_says_since_when_its_figures_are_old() {
    let mut test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    search(&test.client(), 1, "counted").await;
    page.open("/").await;
    page.wait_for_text("Every search, accounted for").await;
    assert_eq!(page.attribute(".public_ledger", "data-old").await, None);
    test.server.kill().await;
    page.wait_for_text("as of ").await;
    assert!(page.attribute(".public_ledger", "data-old").await.is_some());
    assert_eq!(page.texts(".public_ledger dd").await[0], "1", "the last figures stay");
    test.server = test.installation.start(&[]).await;
    eventually("the figures are new again", async || {
        page.attribute(".public_ledger", "data-old").await.is_none().then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn an_action_without_an_answer_may_have_happened() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    search(&test.client(), 1, "to be cancelled").await;
    page.open("/jobs").await;
    let job = job_about(page, "to be cancelled").await;
    page.find(Role::Button, &format!("Cancel job {job}")).await;
    test.server.freeze();
    page.click(Role::Button, &format!("Cancel job {job}")).await;
    assert_eq!(page.attribute("[data-action=Cancel]", "aria-disabled").await.as_deref(), Some("true"));
    page.wait_for_text("Still waiting for the server…").await;
    page.assert_accessible("jobs with an action that waits for an answer").await;
    page.wait_for_text(&format!("It is not known whether job #{job} was cancelled.")).await;
    test.server.thaw();
    // The page reads the job's state again.
    eventually("the page is live", async || {
        page.texts(".connection_word").await.iter().any(|word| word == "Live").then_some(())
    })
    .await;
    assert!(!page.text().await.contains("Still waiting"));
    test.finish().await;
}

#[tokio::test]
async fn a_log_out_that_fails_says_so() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    page.open("/").await;
    page.find(Role::Button, "Account of ada").await;
    test.server.kill().await;
    page.click(Role::Button, "Account of ada").await;
    page.click(Role::Button, "Log out").await;
    page.wait_for_text("You may still be logged in.").await;
    assert_eq!(page.path().await, "/");
    test.browser.finish().await;
}

#[tokio::test]
async fn a_receipt_is_followed_until_its_row_is_there() {
    let mut test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    page.open("/").await;
    page.fill("Phrase", "written at last").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("Copy id").await;
    act_on_the_job(page, "cancel").await;
    page.wait_for_text("This search's record was not written.").await;
    // The restarted server has a fast log, so the retried job succeeds.
    test.server.kill().await;
    test.server = test.installation.start(&[]).await;
    page.wait_for_text("Live").await;
    act_on_the_job(page, "retry").await;
    page.wait_for_text("In the log: row 1").await;
    assert!(!page.text().await.contains("was not written"));
    test.finish().await;
}

/// Acts on the job of the receipt that the page shows, as another window of the administrator would.
async fn act_on_the_job(page: &Browser, action: &str) {
    let script = "const [action, done] = arguments;
        const call = (path, body) => fetch('/api/admin/jobs/' + path, {
            method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)
        }).then(answer => answer.json());
        const search = document.querySelector('.receipt_id code').innerText;
        call('find', {search}).then(job => call(action, {id: job.id})).then(done, error => done(String(error)))";
    assert_eq!(page.script_async(script, vec![action.into()]).await, Value::Null);
}
