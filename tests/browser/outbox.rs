//! A search without an answer is sent until it has one.

use tests::browser::{Browser, Role};

use crate::BrowserTest;

/// While `window.isCut` is set, searches do not reach the server.
const CUT: &str = "
const real = window.fetch;
window.isCut = true;
window.fetch = (request, ...rest) => window.isCut && String(request.url ?? request).endsWith('/api/search')
    ? Promise.reject(new TypeError('cut')) : real(request, ...rest);
";

#[tokio::test]
async fn an_earlier_search_is_sent_again_while_another_one_is_shown() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    open_search(page).await;
    page.script(CUT, vec![]).await;
    search_in_vain(page, "lost one").await;
    search_in_vain(page, "second one").await;
    page.wait_for_text("1 earlier search without an answer").await;
    search_in_vain(page, "third one").await;
    page.wait_for_text("2 earlier searches without an answer").await;
    page.assert_accessible("a search page with searches that wait").await;
    page.script("window.isCut = false", vec![]).await;
    page.wait_for_text("In the log: row").await;
    test_log(page, &["lost one", "second one", "third one"]).await;
    test.finish().await;
}

#[tokio::test]
async fn a_search_is_sent_again_from_another_document() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    open_search(page).await;
    page.script(CUT, vec![]).await;
    search_in_vain(page, "left behind").await;
    page.click(Role::Link, "Lab").await;
    // Appears when the wasm is there.
    page.find(Role::Button, "Account of").await;
    test_log(page, &["left behind"]).await;
    // It is not sent a second time in the name of a new search.
    open_search(page).await;
    page.fill("Phrase", "the next").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 2").await;
    test.finish().await;
}

async fn open_search(page: &Browser) {
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Button, "Account of").await;
}

async fn search_in_vain(page: &Browser, phrase: &str) {
    page.fill("Phrase", phrase).await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_path("the search is shown", |path| path.contains(&phrase.replace(' ', "%20"))).await;
    page.wait_for_text("we'll keep resending").await;
}

async fn test_log(page: &Browser, phrases: &[&str]) {
    page.open("/viewlog").await;
    for phrase in phrases {
        page.wait_for_text(phrase).await;
    }
    page.wait_for_text(&format!("through row {}", phrases.len())).await;
}
