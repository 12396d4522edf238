//! An administrator sees how the whole is doing.

use tests::browser::{Browser, Role};
use tests::eventually::eventually;

use crate::stage::{NAME, PASSWORD, Stage, search};

#[tokio::test]
async fn the_light_and_the_ledger_follow_what_happens() {
    let mut stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.press(['g', 's']).await;
    page.wait_for_path("g s leads to the system", |path| path == "/system").await;
    page.find(Role::Heading, "System").await;
    wait_for_light(page, "healthy").await;
    page.wait_for_text("A probe went the whole way").await;
    wait_for_accepted(page, "0").await;

    // The page stays open, and what is searched elsewhere is counted on it.
    search(&stage.client(), 1, "from elsewhere").await;
    wait_for_accepted(page, "1").await;
    page.find(Role::Link, "recorded 1").await;
    page.wait_for_text("Drift 0: every accepted search is where it should be").await;

    // A server that is gone leaves what it said last on the page, and is found again when it is back.
    for said in ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY"] {
        page.expect_on_console(said);
    }
    stage.server.kill().await;
    page.wait_for_text("; reconnecting").await;
    assert_eq!(page.texts(".ledger_accepted strong").await, ["1"]);
    stage.server = stage.installation.start(&[]).await;
    search(&stage.server.client(), 2, "after the restart").await;
    wait_for_accepted(page, "2").await;
    assert!(!page.text().await.contains("; reconnecting"));
    stage.finish().await;
}

#[tokio::test]
async fn each_part_of_the_system_has_its_card() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.click(Role::Link, "System").await;
    for (card, fact) in [
        ("Ledger", "accepted"),
        ("Spool", "of"),
        ("Queue", "Waiting for a worker"),
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
    assert_eq!(meters.len(), 4, "of the spool, the worker, the connections and the disk");

    page.click(Role::Link, "dead 0").await;
    page.wait_for_path("a part of the ledger leads to its jobs", |path| path == "/jobs?state=dead").await;
    stage.finish().await;
}

#[tokio::test]
async fn a_process_without_workers_says_so() {
    let stage = Stage::open_for_administrator(&["--no-worker"]).await;
    let page = &stage.browser;
    search(&stage.client(), 1, "that nobody writes down").await;
    page.open("/system").await;
    page.wait_for_text("This process runs no jobs: it was started with --no-worker.").await;
    page.find(Role::Link, "waiting 1").await;
    page.wait_for_text("Drift 0").await;
    stage.finish().await;
}

#[tokio::test]
async fn strangers_are_sent_to_the_login_and_back() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.open("/logout").await;
    page.wait_for_text("You are logged out").await;
    page.open("/system").await;
    page.wait_for_path("strangers log in first", |path| path == "/login?next=/system").await;
    page.fill("Name", NAME).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_path("and back", |path| path == "/system").await;
    page.find(Role::Heading, "Ledger").await;
    stage.finish().await;
}

async fn wait_for_light(page: &Browser, light: &str) {
    eventually(&format!("the light is {light}"), async || {
        page.texts("[role=status] h2").await.iter().any(|word| word.eq_ignore_ascii_case(light)).then_some(())
    })
    .await;
}

async fn wait_for_accepted(page: &Browser, count: &str) {
    eventually(&format!("{count} searches are accepted"), async || {
        (page.texts(".ledger_accepted strong").await == [count]).then_some(())
    })
    .await;
}

/// What stands in the card with this heading.
async fn card_text(page: &Browser, heading: &str) -> String {
    let cards = page.texts("main section").await;
    cards.into_iter().find(|text| text.starts_with(heading)).unwrap_or_default()
}
