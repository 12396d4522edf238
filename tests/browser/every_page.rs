//! Checks every page for every visitor, at every width, in every colour scheme.

use serde_json::Value;
use tests::browser::{Browser, Role, Scheme};
use tests::eventually;

use crate::{BrowserTest, job_about, search};

/// Each page, and a text that it shows once it is ready.
const FOR_VISITORS: &[(&str, &str)] = &[
    ("/", "Welcome to search4letters"),
    ("/?phrase=life%2C+the+universe&letters=aeiou", "Nothing was logged."),
    ("/?phrase=&letters=", "Your receipt"),
    ("/login", "Password"),
    ("/setup#token=wrong", "used already"),
    ("/setup", "link is incomplete"),
    ("/nowhere", "search4letters"),
    ("/lab", "No run yet"),
    ("/lab?scenario=database", "No run yet"),
    ("/lab?scenario=trap", "No run yet"),
];
const FOR_ADMINISTRATORS: &[(&str, &str)] = &[
    ("/", "Welcome to search4letters"),
    ("/viewlog", "Up to date"),
    ("/viewlog?q=nothing+like+this", "No row matches"),
    ("/viewlog?q=a+phrase:~x+brower:firefox", "no field"),
    ("/viewlog?at=1", "Up to date"),
    ("/viewlog?row=1", "Search id"),
    ("/jobs", "log_request"),
    ("/jobs?state=dead", "Dead"),
    ("/jobs/999999", "no such job"),
    ("/system", "accounted for"),
    ("/audit", "Created the account"),
];
/// The narrowest and the widest supported window, a usual one, and its half: what is left when it is enlarged twice.
const WIDTHS: [u32; 4] = [360, 640, 1280, 1920];

#[tokio::test]
async fn visitors_can_use_every_page() {
    let test = BrowserTest::start(&[]).await;
    // The page of the used setup link gets a 410, and the unknown page is a 404.
    test.browser.expect_on_console("410");
    test.browser.expect_on_console("404");
    check(&test.browser, FOR_VISITORS).await;
    let setup = format!("/setup#token={}", test.server.setup_token().await);
    check(&test.browser, &[(&setup, "Password")]).await;
    test.finish().await;
}

#[tokio::test]
async fn administrators_can_use_every_page() {
    let test = BrowserTest::as_administrator(&[]).await;
    search(&test.client(), 1, &"a long phrase without an end ".repeat(40)).await;
    search(&test.client(), 2, &"anunbreakablephrase".repeat(40)).await;
    // The page of the missing job gets a 404.
    test.browser.expect_on_console("404");
    check(&test.browser, FOR_ADMINISTRATORS).await;
    test.browser.open("/jobs").await;
    let job = format!("/jobs/{}", job_about(&test.browser, "anunbreakablephrase").await);
    check(&test.browser, &[(&job, "Payload")]).await;
    test.finish().await;
}

async fn check(browser: &Browser, pages: &[(&str, &str)]) {
    for (page, text) in pages {
        for width in WIDTHS {
            browser.resize(width, 800).await;
            browser.open(page).await;
            browser.wait_for_text(text).await;
            browser.assert_fits_its_width(&format!("{page} at {width}")).await;
        }
        for scheme in Scheme::ALL {
            browser.prefer(scheme).await;
            browser.resize(1280, 800).await;
            browser.assert_accessible(&format!("{page}, {}", scheme.as_str())).await;
            browser.resize(360, 740).await;
            browser.assert_accessible(&format!("{page}, {}, 360 px", scheme.as_str())).await;
        }
        let title = browser.title().await;
        assert!(title.contains("search4letters") && title.len() > "search4letters".len(), "{page}: {title:?}");
        assert_eq!(browser.texts("h1").await.len(), 1, "{page} has one main heading");
    }
}

#[tokio::test]
async fn nothing_moves_when_the_wasm_takes_over() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    for width in WIDTHS {
        page.resize(width, 800).await;
        for path in ["/", "/entry", "/?phrase=life&letters=aeiou", "/login", "/lab"] {
            page.open(path).await;
            // Appears with the wasm.
            page.find(if path == "/login" { Role::Button } else { Role::Link }, "Log in").await;
            page.assert_nothing_has_moved(&format!("{path} at {width}")).await;
        }
    }
    test.finish().await;
}

#[tokio::test]
async fn every_page_can_be_reached_by_links_and_keys() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    for (link, path) in
        [("Jobs", "/jobs"), ("Log", "/viewlog"), ("System", "/system"), ("Lab", "/lab"), ("Search", "/")]
    {
        page.click(Role::Link, link).await;
        page.wait_for_path(&format!("{link} leads to {path}"), |now| now == path).await;
    }
    // Appears when the search's bundle is ready for keys.
    page.find(Role::Link, "Jobs").await;
    // The focused phrase field would take keys as text.
    page.script("document.activeElement.blur()", vec![]).await;
    page.press(['g', 'j']).await;
    page.wait_for_path("g j leads to the jobs", |path| path == "/jobs").await;
    // The bundle must be ready for keys too.
    page.find(Role::Link, "Jobs").await;
    page.press(['?']).await;
    page.find(Role::Dialog, "").await;
    test.finish().await;
}

#[tokio::test]
async fn the_theme_follows_the_system_until_the_visitor_chooses() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.prefer(Scheme::Light).await;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    wait_for_background(page, LIGHT).await;
    page.prefer(Scheme::Dark).await;
    wait_for_background(page, DARK).await;

    choose(page, "light").await;
    wait_for_background(page, LIGHT).await;
    page.reload().await;
    wait_for_background(page, LIGHT).await;
    assert_eq!(page.attribute("html", "data-theme").await.as_deref(), Some("light"), "the choice is kept");

    choose(page, "system").await;
    wait_for_background(page, DARK).await;
    test.finish().await;
}

/// The page's background in each theme: #fbfbf9 and #0e1216.
const LIGHT: &str = "rgb(251, 251, 249)";
const DARK: &str = "rgb(14, 18, 22)";

async fn wait_for_background(page: &Browser, color: &str) {
    eventually(&format!("the page's background is {color}"), async || {
        let script = "return [document.documentElement, document.body].map(e => getComputedStyle(e).backgroundColor)";
        let colors: Value = page.script(script, vec![]).await;
        colors.as_array().into_iter().flatten().any(|found| found == color).then_some(())
    })
    .await;
}

/// A person clicks the icons, which cover the radio buttons.
async fn choose(page: &Browser, theme: &str) {
    page.script("document.querySelector(`input[name=theme][value=${arguments[0]}]`).click()", vec![theme.into()]).await;
}
