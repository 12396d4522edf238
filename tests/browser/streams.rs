//! What is shown as live is live, and a browser's connections are not used up.

use std::time::Duration;

use serde_json::json;
use tests::browser::{Browser, Role, key};
use tests::eventually;
use tests::http_client::HttpClient;

use crate::log::wait_for_phrases;
use crate::{BrowserTest, search};

/// From the next document on, the page counts as hidden unless `window.isShown` is set.
const BORN_HIDDEN: &str = "
for (const [name, value] of [['visibilityState', () => window.isShown ? 'visible' : 'hidden'], ['hidden', () => !window.isShown]])
    Object.defineProperty(Document.prototype, name, {get: value});
";
const SHOW: &str =
    "window.isShown = arguments[0]; document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))";

/// Remembers what the page says of its connection.
const REMEMBER_WORDS: &str = "
window.words = [];
const word = document.querySelector('.connection_word');
new MutationObserver(() => words.push(word.innerText)).observe(word, {characterData: true, subtree: true});
";

#[tokio::test]
async fn a_tab_that_is_opened_in_the_background_has_a_stream_only_while_it_is_shown() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": BORN_HIDDEN})).await;
    // The list of all jobs has one as soon as the server checks itself.
    page.open("/jobs?state=dead").await;
    page.wait_for_text("No job is dead now.").await;
    wait_for_word(page, "Paused").await;
    wait_for_streams(&test.client(), 0).await;
    page.script(SHOW, vec![true.into()]).await;
    wait_for_word(page, "Live").await;
    wait_for_streams(&test.client(), 1).await;
    page.script(SHOW, vec![false.into()]).await;
    wait_for_word(page, "Paused").await;
    wait_for_streams(&test.client(), 0).await;
    test.finish().await;
}

#[tokio::test]
async fn of_many_windows_the_newest_three_are_live() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let first = page.window().await;
    wait_for_word(page, "Live").await;
    page.script(REMEMBER_WORDS, vec![]).await;
    let mut windows = Vec::new();
    for _ in 0..6 {
        windows.push(page.new_tab().await);
        let always_shown = format!("window.isShown = true; {BORN_HIDDEN}");
        page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": always_shown})).await;
        page.open("/jobs").await;
        wait_for_word(page, "Live").await;
    }
    wait_for_streams(&test.client(), 3).await;
    // The one that the visitor turns to becomes live, at the cost of another.
    page.switch(&first).await;
    page.script("dispatchEvent(new Event('focus'))", vec![]).await;
    wait_for_word(page, "Live").await;
    assert_eq!(page.script("return window.words[0]", vec![]).await, "Paused");
    wait_for_streams(&test.client(), 3).await;
    test.finish().await;
}

#[tokio::test]
async fn windows_that_have_crashed_take_no_place() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    wait_for_word(page, "Live").await;
    // Three windows claim streams, and say nothing more.
    let claims = "const channel = new BroadcastChannel('streams');
                  for (const id of ['a', 'b', 'c']) channel.postMessage(`${id} ${Date.now() + 60000}`);";
    page.script(claims, vec![]).await;
    wait_for_word(page, "Paused").await;
    wait_for_word(page, "Live").await;
    test.finish().await;
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_not_live_any_more() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "before").await;
    page.wait_for_text("before").await;
    wait_for_word(page, "Live").await;
    page.wait_for_text("Up to date").await;
    // Nothing comes any more, and nothing is closed.
    test.server.freeze();
    wait_for_word(page, "No answer").await;
    assert!(!page.text().await.contains("Up to date"));
    wait_for_word(page, "Reconnecting").await;
    page.wait_for_text("Not live since").await;
    assert!(!page.text().await.contains("Up to date"));
    page.assert_accessible("a log that is not live").await;
    test.server.thaw();
    search(&test.client(), 2, "after").await;
    page.wait_for_text("after").await;
    wait_for_word(page, "Live").await;
    page.wait_for_text("Up to date").await;
    test.finish().await;
}

/// What the log says of a database that was restored.
const RESTORED: &str = "The database was restored to an older state";

#[tokio::test]
async fn after_an_older_database_was_restored_its_rows_are_shown() {
    let mut test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "old").await;
    wait_for_phrases(page, &["old"]).await;
    for message in ["CONNECTION_REFUSED", "INCOMPLETE_CHUNKED", "CONNECTION_RESET", "EMPTY_RESPONSE"] {
        page.expect_on_console(message);
    }
    test.server.terminate(Duration::from_secs(60)).await;
    let (database, copy) = (test.installation.database(), test.installation.folder().join("copy.db"));
    std::fs::copy(&database, &copy).expect("a stopped server's database is one file");
    test.server = test.installation.start(&[]).await;
    search(&test.server.client(), 2, "lost").await;
    wait_for_phrases(page, &["lost", "old"]).await;
    page.press(['j', key::ENTER]).await;
    page.find(Role::Dialog, "Row 2").await;
    test.server.terminate(Duration::from_secs(60)).await;
    std::fs::copy(&copy, &database).expect("the copy can be put back");
    test.server = test.installation.start(&[]).await;
    wait_for_phrases(page, &["old"]).await;
    // Nothing of the rows that are gone stays open or selected.
    page.wait_for_text(RESTORED).await;
    page.wait_for_path("the lost row has left the address", |path| path == "/viewlog").await;
    assert!(page.find_now(Role::Dialog, "Row 2").await.is_none());
    search(&test.server.client(), 3, "new").await;
    wait_for_phrases(page, &["new", "old"]).await;
    assert_eq!(page.texts("[role=row][aria-selected=true]").await, [""; 0]);
    assert_eq!(page.texts(".notice p").await.len(), 1, "it is said once");
    page.assert_accessible("a log that was restored").await;
    page.click(Role::Button, "Close").await;
    search(&test.server.client(), 4, "newer").await;
    wait_for_phrases(page, &["newer", "new", "old"]).await;
    assert!(!page.text().await.contains(RESTORED));
    test.finish().await;
}

#[tokio::test]
async fn a_computer_that_has_slept_reconnects_at_once() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    wait_for_word(page, "Live").await;
    page.script(REMEMBER_WORDS, vec![]).await;
    page.script("const now = Date.now; Date.now = () => now() + 3600000", vec![]).await;
    eventually("the stream was opened anew", async || {
        let words = page.script("return window.words", vec![]).await;
        (words == json!(["Reconnecting", "Live"])).then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn ages_are_by_the_servers_clock() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "done already").await;
    let source = "const now = Date.now.bind(Date); Date.now = () => now() - 3600000";
    page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await;
    for (path, text) in [("/jobs", "done already"), ("/system", "seen just now"), ("/viewlog", "through row 1")] {
        page.open(path).await;
        page.wait_for_text(text).await;
        let mut ages = page.texts(".time_ago").await;
        // What is folded has no text.
        ages.retain(|age| !age.is_empty());
        assert!(path == "/viewlog" || !ages.is_empty(), "{path} shows ages");
        assert!(ages.iter().all(|age| age == "just now" || age.ends_with("s ago")), "{path}: {ages:?}");
    }
    test.finish().await;
}

#[tokio::test]
async fn an_answer_that_is_not_the_servers_is_said_to_be_a_failure() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    for (status, body) in [(502, "<html><h1>Bad Gateway</h1>"), (500, "oops"), (200, "<html>Please log in")] {
        page.script(
            "window.realFetch ??= window.fetch;
             const [status, body] = arguments;
             window.fetch = (request, options) => (request.url ?? request).includes('/jobs/list')
                 ? Promise.resolve(new Response(body, {status, headers: {'content-type': 'text/html'}}))
                 : realFetch(request, options)",
            vec![status.into(), body.into()],
        )
        .await;
        page.click(Role::Link, "Jobs").await;
        page.wait_for_text("The server has failed, or something between it and this page has answered").await;
        page.find(Role::Button, "Try again").await;
        page.script("window.fetch = realFetch", vec![]).await;
        page.wait_for_text("There are no jobs yet").await;
        page.click(Role::Link, "Log").await;
        page.wait_for_text("Nothing has been searched yet").await;
    }
    test.finish().await;
}

pub(crate) async fn wait_for_word(page: &Browser, word: &str) {
    eventually(&format!("the page is {word}"), async || (page.texts(".connection_word").await == [word]).then_some(()))
        .await;
}

async fn wait_for_streams(client: &HttpClient, count: u32) {
    eventually(&format!("{count} streams are open"), async || {
        let metrics = client.get("/metrics").await.ok()?.body;
        metrics.lines().any(|line| line == format!("search4letters_event_streams {count}")).then_some(())
    })
    .await;
}
