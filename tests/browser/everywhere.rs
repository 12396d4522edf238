//! What holds on every page: for everyone, at every width, in every light.

use tests::browser::{Browser, Role, Scheme};

use crate::stage::{Stage, search};

/// Each page, and something that it says once it is there.
const FOR_EVERYONE: &[(&str, &str)] = &[
    ("/", "Welcome to search4letters"),
    ("/?phrase=life%2C+the+universe&letters=aeiou", "recorded as row"),
    ("/?phrase=&letters=", "Here are your results"),
    ("/login", "Password"),
    ("/setup?token=wrong", "Password"),
    ("/setup", "link is incomplete"),
    ("/nowhere", "search4letters"),
    ("/lab", "No run yet"),
    ("/lab?scenario=database", "No run yet"),
    ("/lab?scenario=trap", "No run yet"),
];
const FOR_ADMINISTRATORS: &[(&str, &str)] = &[
    ("/", "Welcome to search4letters"),
    ("/viewlog", "complete through"),
    ("/viewlog?q=nothing+like+this", "No row matches"),
    ("/viewlog?q=a+phrase:~x+brower:firefox", "no field"),
    ("/viewlog?at=1", "complete through"),
    ("/viewlog?row=1", "Search id"),
    ("/jobs", "log_request"),
    ("/jobs?state=dead", "dead"),
    ("/jobs/1", "Payload"),
    ("/jobs/999999", "no such job"),
    ("/system", "Drift 0"),
];
/// The least and the greatest width that interface.md promises, and the usual one.
const WIDTHS: [u32; 3] = [360, 1280, 1920];

#[tokio::test]
async fn visitors_can_use_every_page() {
    let stage = Stage::open(&[]).await;
    check(&stage.browser, FOR_EVERYONE).await;
    stage.finish().await;
}

#[tokio::test]
async fn administrators_can_use_every_page() {
    let stage = Stage::open_for_administrator(&[]).await;
    search(&stage.client(), 1, &"a long phrase without an end ".repeat(40)).await;
    search(&stage.client(), 2, &"anunbreakablephrase".repeat(40)).await;
    // The missing job's page is told so by a 404.
    stage.browser.expect_on_console("404");
    check(&stage.browser, FOR_ADMINISTRATORS).await;
    stage.finish().await;
}

async fn check(browser: &Browser, pages: &[(&str, &str)]) {
    for (page, said) in pages {
        for width in WIDTHS {
            browser.resize(width, 800).await;
            browser.open(page).await;
            browser.wait_for_text(said).await;
            browser.assert_fits_its_width(&format!("{page} at {width}")).await;
        }
        for scheme in Scheme::ALL {
            browser.prefer(scheme).await;
            browser.resize(1280, 800).await;
            browser.assert_accessible(&format!("{page}, {}", scheme.word())).await;
            browser.resize(360, 740).await;
            browser.assert_accessible(&format!("{page}, {}, 360 px", scheme.word())).await;
        }
        let title = browser.title().await;
        assert!(title.contains("search4letters") && title.len() > "search4letters".len(), "{page}: {title:?}");
        assert_eq!(browser.texts("h1").await.len(), 1, "{page} has one main heading");
    }
}

#[tokio::test]
async fn nothing_moves_when_the_wasm_takes_over() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    for width in WIDTHS {
        page.resize(width, 800).await;
        for path in ["/", "/entry", "/login", "/lab"] {
            page.open(path).await;
            page.find(Role::Link, "Log in").await;
            let shift = page.layout_shift().await;
            assert!(shift == 0.0, "{path} at {width} moved by {shift}");
        }
    }
    stage.finish().await;
}

#[tokio::test]
async fn every_page_is_reached_by_its_links() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    for (link, path) in
        [("Jobs", "/jobs"), ("Log", "/viewlog"), ("System", "/system"), ("Lab", "/lab"), ("Search", "/")]
    {
        page.click(Role::Link, link).await;
        page.wait_for_path(&format!("{link} leads to {path}"), |now| now == path).await;
    }
    // Appears when the search's bundle has been loaded, and listens to keys.
    page.find(Role::Link, "Jobs").await;
    // The phrase has the focus, and in there keys are text.
    page.script("document.activeElement.blur()", vec![]).await;
    page.press(['g', 'j']).await;
    page.wait_for_path("g j leads to the jobs", |path| path == "/jobs").await;
    // Another bundle: its keys are listened to when it has been loaded too.
    page.find(Role::Link, "Jobs").await;
    page.press(['?']).await;
    page.find(Role::Dialog, "").await;
    stage.finish().await;
}
