//! A page whose server was away is whole again by itself, and says no more of the server than it knows.

use api::LabRunId;
use serde_json::{Value, json};
use tests::browser::{Browser, Role};
use tests::eventually;

use crate::streams::wait_for_word;
use crate::{BrowserTest, job_about, search};

/// Opens an address without loading a document.
const GO: &str = "history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))";

/// While `window.cut` is a part of a request's address, the request does not reach the server.
const CUT: &str = "
const real = window.fetch;
window.cut = '/api/';
window.fetch = (request, ...rest) => window.cut && String(request.url ?? request).includes(window.cut)
    ? Promise.reject(new TypeError('cut')) : real(request, ...rest);
";

#[tokio::test]
async fn pages_load_when_the_server_is_back() {
    let mut test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "recorded before").await;
    page.open("/jobs").await;
    let job = format!("/jobs/{}", job_about(page, "recorded before").await);
    page.expect_on_console("ERR_");
    page.expect_on_console("404");
    // From each page to the next one, while the server is down.
    for (path, text) in [
        ("/viewlog", "recorded before"),
        ("/jobs", "recorded before"),
        (job.as_str(), "Payload"),
        ("/system", "accounted for"),
        ("/viewlog?q=phrase:before&row=1", "Search id"),
        ("/lab", "No run yet"),
    ] {
        if path == "/lab" {
            // The lab is a bundle of its own.
            page.open(&format!("/lab/runs/{}", LabRunId::from_parts(1, 1))).await;
            page.find(Role::Heading, "There is no such run").await;
        }
        test.server.kill().await;
        page.script(GO, vec![path.into()]).await;
        eventually(&format!("{path} says that it could not be read"), async || {
            let text = page.text().await;
            let failures = ["The server cannot be reached.", "The state of the system cannot be read just now."];
            failures.iter().any(|failure| text.contains(failure)).then_some(())
        })
        .await;
        eventually(&format!("{path} does not say that it is online"), async || {
            let word = page.texts(".connection_word").await.concat();
            ["Reconnecting", "No answer"].contains(&word.as_str()).then_some(())
        })
        .await;
        page.assert_accessible(&format!("{path} without a server")).await;
        test.server = test.installation.start(&[]).await;
        page.wait_for_text(text).await;
        wait_for_word(page, if path == "/lab" { "Online" } else { "Live" }).await;
        assert!(!page.text().await.contains("cannot be reached"), "{path}");
    }
    test.finish().await;
}

#[tokio::test]
async fn a_failed_page_is_read_again_at_once() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "read at last").await;
    page.wait_for_text("read at last").await;
    page.script(CUT, vec![]).await;
    // Nothing is repeated because time has passed.
    let stop = "const real = window.setTimeout;
                window.setTimeout = (act, wait, ...rest) => wait >= 400 ? 0 : real(act, wait, ...rest)";
    page.script(stop, vec![]).await;
    let events = ["online", "visibilitychange"].map(|event| format!("dispatchEvent(new Event('{event}'))"));
    let button = "[...document.querySelectorAll('main button')].find(b => b.innerText === 'Try again').click()";
    for retry in events.iter().map(String::as_str).chain([button]) {
        page.script(GO, vec!["/logout".into()]).await;
        page.find(Role::Heading, "Log out?").await;
        page.script("window.cut = '/jobs/list'", vec![]).await;
        page.script(GO, vec!["/jobs".into()]).await;
        page.find(Role::Button, "Try again").await;
        page.script("window.cut = null", vec![]).await;
        page.script(retry, vec![]).await;
        page.wait_for_text("read at last").await;
    }
    test.finish().await;
}

#[tokio::test]
async fn the_badge_says_what_the_last_request_has_shown() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Button, "Account of").await;
    wait_for_word(page, "Online").await;
    page.script(CUT, vec![]).await;
    page.fill("Phrase", "sent at last").await;
    page.click(Role::Button, "Do it!").await;
    wait_for_word(page, "No answer").await;
    page.script("window.cut = null", vec![]).await;
    page.wait_for_text("In the log: row 1").await;
    eventually("the page is connected", async || {
        let word = page.texts(".connection_word").await.concat();
        ["Online", "Live"].contains(&word.as_str()).then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn a_page_that_asks_nothing_notices_that_the_server_is_back() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": CUT})).await;
    for path in ["/", "/login", "/logout", "/viewlog"] {
        page.open(path).await;
        wait_for_word(page, "No answer").await;
        page.script("window.cut = null", vec![]).await;
        page.find(Role::Button, "Account of").await;
        eventually(&format!("{path} is connected"), async || {
            let word = page.texts(".connection_word").await.concat();
            ["Online", "Live"].contains(&word.as_str()).then_some(())
        })
        .await;
    }
    test.finish().await;
}

#[tokio::test]
async fn a_server_on_the_same_machine_needs_no_network() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    wait_for_word(page, "Live").await;
    let offline = "Object.defineProperty(navigator, 'onLine', {get: () => false});
        window.words = [];
        const word = document.querySelector('.connection_word');
        new MutationObserver(() => words.push(word.innerText)).observe(word, {characterData: true, subtree: true});
        dispatchEvent(new Event('offline'))";
    page.script(offline, vec![]).await;
    search(&test.client(), 1, "without a network").await;
    page.wait_for_text("without a network").await;
    assert_eq!(words(page).await, json!([]), "the stream was not given up");
    page.script(GO, vec!["/logout".into()]).await;
    wait_for_word(page, "Online").await;
    assert!(!words(page).await.to_string().contains("Offline"));
    test.finish().await;
}

/// What the badge has said since.
async fn words(page: &Browser) -> Value {
    page.script("return window.words", vec![]).await
}
