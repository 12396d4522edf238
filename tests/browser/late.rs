//! An answer that comes late changes nothing that has happened since.

use serde_json::json;
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::{BrowserTest, NAME, PASSWORD, search};

/// Holds back the answers to requests whose address contains `window.held`, until `letGo` is called.
pub(crate) const HOLD: &str = "
const real = window.fetch;
const waiting = [];
window.held = arguments[0];
window.letGo = () => { window.held = null; waiting.splice(0).forEach(go => go()); };
window.fetch = async (request, ...rest) => {
    const answer = await real(request, ...rest);
    if (window.held && String(request.url ?? request).includes(window.held)) await new Promise(go => waiting.push(go));
    return answer;
};
window.heldAnswers = () => waiting.length;
";

#[tokio::test]
async fn a_row_that_is_opened_since_stays_open() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    search(&client, 1, "first").await;
    search(&client, 2, "second").await;
    page.wait_for_text("second").await;
    page.script(HOLD, vec!["before=100&".into()]).await;
    // A row that the page does not have is asked for.
    let open = "history.pushState(null, '', '/viewlog?row=99'); dispatchEvent(new PopStateEvent('popstate'))";
    page.script(open, vec![]).await;
    wait_for_held(page, 1).await;
    page.press(['j', key::ENTER]).await;
    page.find(Role::Dialog, "Row 2").await;
    page.script("letGo()", vec![]).await;
    search(&client, 3, "third").await;
    page.wait_for_text("1 new").await;
    assert!(!page.text().await.contains("There is no row 99"));
    page.find(Role::Dialog, "Row 2").await;
    test.finish().await;
}

#[tokio::test]
async fn a_state_without_its_jobs_shows_no_others() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "is done").await;
    page.open("/jobs").await;
    page.wait_for_text("is done").await;
    page.script(HOLD, vec!["/jobs/list".into()]).await;
    page.click(Role::Link, "Dead").await;
    wait_for_held(page, 1).await;
    eventually("the jobs of other states are gone", async || {
        page.texts(".job_table tbody tr").await.is_empty().then_some(())
    })
    .await;
    page.script("letGo()", vec![]).await;
    page.wait_for_text("No job is dead now.").await;
    page.open("/jobs?before=1").await;
    page.wait_for_text("There are no older jobs.").await;
    page.assert_accessible("a list beyond the oldest job").await;
    page.click(Role::Link, "Newest").await;
    page.wait_for_text("is done").await;
    test.finish().await;
}

#[tokio::test]
async fn a_job_that_is_made_before_the_stream_begins_is_listed() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    let later = "const real = window.fetch;
        window.fetch = async (request, ...rest) => {
            if (String(request.url ?? request).endsWith('/jobs/events')) await new Promise(go => { window.letGo = go; });
            return real(request, ...rest);
        };";
    page.script(later, vec![]).await;
    page.click(Role::Link, "Jobs").await;
    eventually("the list was read, and the stream waits", async || {
        let is_read = "return Boolean(window.letGo && document.querySelector('.job_table, main .empty_state'))";
        page.script(is_read, vec![]).await.as_bool().filter(|is_read| *is_read)
    })
    .await;
    search(&test.client(), 1, "made meanwhile").await;
    page.script("letGo()", vec![]).await;
    page.wait_for_text("made meanwhile").await;
    test.finish().await;
}

#[tokio::test]
async fn every_cancel_on_a_slow_line_counts() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    page.open("/jobs").await;
    for (number, phrase) in (1..).zip(["the first", "the second", "the third"]) {
        search(&test.client(), number, phrase).await;
        page.wait_for_text(phrase).await;
    }
    page.script(HOLD, vec!["/jobs/cancel".into()]).await;
    let buttons = "document.querySelectorAll('[data-action=Cancel]')";
    eventually("all can be cancelled", async || {
        (page.script(&format!("return {buttons}.length"), vec![]).await == 3).then_some(())
    })
    .await;
    // A double click is one action.
    page.script(&format!("for (const button of {buttons}) {{ button.click(); button.click(); }}"), vec![]).await;
    wait_for_held(page, 3).await;
    assert_eq!(page.script("return heldAnswers()", vec![]).await, 3);
    page.script("letGo()", vec![]).await;
    eventually("each result is told", async || {
        let results = page.texts(".toast p").await;
        (results.iter().filter(|text| text.ends_with(" cancelled.")).count() == 3).then_some(())
    })
    .await;
    page.assert_accessible("a list with three results").await;
    test.finish().await;
}

#[tokio::test]
async fn a_session_that_was_asked_for_before_the_logout_is_over() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    page.script(HOLD, vec!["/api/session".into()]).await;
    page.script("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))", vec![]).await;
    wait_for_held(page, 1).await;
    page.click(Role::Button, &format!("Account of {NAME}")).await;
    page.click(Role::Button, "Log out").await;
    page.wait_for_text("You are logged out").await;
    page.script("letGo()", vec![]).await;
    page.script_async("fetch('/healthz').then(() => arguments[0]())", vec![]).await;
    page.find(Role::Heading, "You are logged out").await;
    assert!(page.find_now(Role::Button, "Account of").await.is_none());
    test.finish().await;
}

/// Refuses to pause a kind, as if the session had ended, when `letGo` is called. Remembers where the page leads to.
const REFUSE_LATE: &str = "
const real = window.fetch;
window.fetch = async (request, ...rest) => {
    if (!String(request.url ?? request).endsWith('/jobs/pause')) return real(request, ...rest);
    await new Promise(go => { window.letGo = go; });
    return Response.json({error: {code: 'signed_out', message: 'Log in.', field: null}}, {status: 401});
};
window.visited = [];
const replace = history.replaceState;
history.replaceState = function(state, title, address) {
    window.visited.push(address);
    return replace.call(this, state, title, address);
};
";

#[tokio::test]
async fn a_refusal_of_the_session_before_does_not_end_the_new_one() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "written").await;
    page.open("/jobs").await;
    page.click(Role::Button, "Job types").await;
    page.find(Role::Button, "Pause log_request").await;
    page.script(REFUSE_LATE, vec![]).await;
    page.click(Role::Button, "Pause log_request").await;
    eventually("the answer waits", async || page.script("return Boolean(window.letGo)", vec![]).await.as_bool()).await;
    page.click(Role::Button, &format!("Account of {NAME}")).await;
    page.click(Role::Button, "Log out").await;
    page.wait_for_text("You are logged out").await;
    page.click(Role::Link, "Log in").await;
    page.fill("Name", NAME).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_text("Up to date").await;
    page.script("window.visited = []; letGo()", vec![]).await;
    page.script_async("fetch('/healthz').then(() => arguments[0]())", vec![]).await;
    search(&test.client(), 2, "after the answer").await;
    page.wait_for_text("after the answer").await;
    assert_eq!(page.script("return window.visited", vec![]).await, json!([]));
    page.find(Role::Button, &format!("Account of {NAME}")).await;
    test.finish().await;
}

pub(crate) async fn wait_for_held(page: &Browser, answers: u64) {
    eventually(&format!("{answers} answers wait"), async || {
        page.script("return heldAnswers()", vec![]).await.as_u64().filter(|held| *held >= answers).map(drop)
    })
    .await;
}
