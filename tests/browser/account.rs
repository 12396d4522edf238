//! Administrators come in, and nobody else does.

use tests::browser::Role;

use crate::stage::{NAME, PASSWORD, Stage};

#[tokio::test]
async fn the_setup_link_makes_one_administrator_and_no_second() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.open("/logout").await;
    page.wait_for_text("You are logged out").await;

    page.expect_on_console("410");
    page.open(&format!("/setup?token={}", stage.server.setup_token().await)).await;
    page.fill("Name", "mallory").await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Make the account").await;
    page.wait_for_text("search4letters admin link").await;
    let path = page.path().await;
    assert!(path.starts_with("/setup"), "{path}");
    page.open("/viewlog").await;
    page.wait_for_path("mallory has no session", |path| path.starts_with("/login")).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_the_right_one_leads_to_where_one_wanted_to_go() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.open("/logout").await;
    page.wait_for_text("You are logged out").await;

    page.open("/jobs?state=dead").await;
    page.wait_for_path("the jobs page sends strangers to the login", |path| path.starts_with("/login?next=")).await;
    page.expect_on_console("401");
    page.fill("Name", NAME).await;
    page.fill("Password", "not the passphrase").await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_text("wrong").await;
    assert!(page.path().await.starts_with("/login"));

    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_path("and back", |path| path == "/jobs?state=dead").await;
    stage.finish().await;
}

#[tokio::test]
async fn after_logging_out_the_back_button_shows_nothing() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.open("/?phrase=confidential").await;
    page.wait_for_text("recorded as row 1").await;
    page.open("/viewlog").await;
    page.wait_for_text("confidential").await;
    page.open("/logout").await;
    page.wait_for_text("You are logged out").await;
    // The page may come back as it was left, from the browser's memory: its streams are refused then.
    page.expect_on_console("401");
    page.back().await;
    page.wait_for_path("the log sends strangers to the login", |path| path.starts_with("/login")).await;
    assert!(!page.text().await.contains("confidential"));
    stage.finish().await;
}

#[tokio::test]
async fn who_logs_in_and_goes_back_to_the_search_is_known_there() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.open("/logout").await;
    page.wait_for_text("You are logged out").await;
    page.open("/").await;
    page.click(Role::Link, "Log in").await;
    page.fill("Name", NAME).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_path("the login leads to the log", |path| path == "/viewlog").await;
    page.back().await;
    page.wait_for_path("back to the search", |path| path == "/").await;
    page.find(Role::Button, &format!("Account of {NAME}")).await;
    page.click(Role::Link, "Jobs").await;
    page.wait_for_path("the jobs are there", |path| path == "/jobs").await;
    stage.finish().await;
}
