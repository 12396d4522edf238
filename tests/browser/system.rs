//! An administrator sees the state of the system.

use tests::browser::{Browser, Role};
use tests::eventually;

use crate::{BrowserTest, NAME, PASSWORD, log_out, search};

#[tokio::test]
async fn the_health_and_the_ledger_are_live() {
    let mut test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.press(['g', 's']).await;
    page.wait_for_path("g s leads to the system", |path| path == "/system").await;
    page.find(Role::Heading, "System").await;
    wait_for_health(page, "healthy").await;
    page.wait_for_text("Last end-to-end check").await;
    wait_for_accepted(page, "0").await;

    // The open page counts searches that are made elsewhere.
    search(&test.client(), 1, "from elsewhere").await;
    wait_for_accepted(page, "1").await;
    page.find(Role::Link, "1 in the log").await;
    page.wait_for_text("The one search is accounted for").await;

    // While the server is down, the page keeps the last state. It reconnects when the server is back.
    for error in ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY"] {
        page.expect_on_console(error);
    }
    test.server.kill().await;
    page.wait_for_text("; reconnecting").await;
    assert_eq!(page.texts(".ledger_accepted strong").await, ["1"]);
    test.server = test.installation.start(&[]).await;
    search(&test.server.client(), 2, "after the restart").await;
    wait_for_accepted(page, "2").await;
    assert!(!page.text().await.contains("; reconnecting"));
    test.finish().await;
}

#[tokio::test]
async fn each_part_of_the_system_has_a_card() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.click(Role::Link, "System").await;
    for (card, fact) in [
        ("Ledger", "accepted"),
        ("Spool", "of"),
        ("Queue", "Nothing is waiting or running."),
        ("Workers", "slots"),
        ("Database connections", "In use"),
        ("Disk", "Free"),
        ("Process", "SQLite"),
    ] {
        page.find(Role::Heading, card).await;
        let text = card_text(page, card).await;
        assert!(text.contains(fact), "{card}: {text}");
    }
    let meters = page.texts("[role=meter]").await;
    assert_eq!(meters.len(), 3, "of the worker, the connections and the disk: the spool is empty");

    let places = page.texts(".ledger_place").await;
    assert_eq!(places.len(), 3, "{places:?}");
    assert!(places[2].starts_with('0') && places[2].ends_with("lost"), "as visitors read it: {places:?}");
    assert!(card_text(page, "Spool").await.contains("Nothing was set aside or lost"), "it is a sentence");
    test.finish().await;
}

#[tokio::test]
async fn a_process_without_workers_says_so() {
    let test = BrowserTest::as_administrator(&["--no-worker"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "that nobody writes down").await;
    page.open("/system").await;
    page.wait_for_text("This process runs no jobs: it was started with --no-worker.").await;
    page.wait_for_text("accounted for").await;
    page.click(Role::Link, "1 being written").await;
    page.wait_for_path("the ledger links to its jobs", |path| path == "/jobs?state=waiting").await;
    test.finish().await;
}

#[tokio::test]
async fn the_login_leads_back_to_the_page() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    log_out(page).await;
    page.open("/system").await;
    page.wait_for_path("the page redirects to the login", |path| path == "/login?next=/system").await;
    page.fill("Name", NAME).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_path("the login leads back", |path| path == "/system").await;
    page.find(Role::Heading, "Ledger").await;
    test.finish().await;
}

async fn wait_for_health(page: &Browser, health: &str) {
    eventually(&format!("the health is {health}"), async || {
        page.texts("[role=status] h2").await.iter().any(|word| word.eq_ignore_ascii_case(health)).then_some(())
    })
    .await;
}

async fn wait_for_accepted(page: &Browser, count: &str) {
    eventually(&format!("{count} searches are accepted"), async || {
        (page.texts(".ledger_accepted strong").await == [count]).then_some(())
    })
    .await;
}

/// The text of the card with this heading.
async fn card_text(page: &Browser, heading: &str) -> String {
    let cards = page.texts("main section").await;
    cards.into_iter().find(|text| text.starts_with(heading)).unwrap_or_default()
}
