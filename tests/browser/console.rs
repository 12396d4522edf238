//! What administrators do by keyboard, and what the console's pages say of it.

use api::JobState;
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::jobs::wait_for_count;
use crate::{BrowserTest, NAME, job_about, search};

pub(crate) async fn focused(page: &Browser) -> String {
    let name = "const e = document.activeElement; return e.ariaLabel ?? e.innerText";
    page.script(name, vec![]).await.as_str().unwrap_or_default().to_owned()
}

/// Presses Tab until the element with this name has the focus.
pub(crate) async fn tab_to(page: &Browser, name: &str) {
    for _ in 0..40 {
        page.press([key::TAB]).await;
        if focused(page).await.starts_with(name) {
            return;
        }
    }
    panic!("Tab does not lead to {name:?}");
}

#[tokio::test]
async fn a_job_is_cancelled_and_brought_back_by_keyboard() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be cancelled").await;
    page.open("/jobs").await;
    let job = job_about(page, "to be cancelled").await;
    eventually("its row says so", async || (page.texts(".job_state").await == ["Running"]).then_some(())).await;
    page.press(['j']).await;
    eventually("the row's link has the focus", async || (focused(page).await == format!("#{job}")).then_some(())).await;
    tab_to(page, &format!("Cancel job {job}")).await;
    page.press([key::ENTER]).await;
    page.wait_for_text(&format!("Job #{job} cancelled.")).await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    page.assert_accessible("a job that was cancelled").await;
    // It is announced by a region that was there before.
    let region = "return document.querySelector('.toast').closest('[aria-live=polite]') !== null";
    assert_eq!(page.script(region, vec![]).await, true);
    tab_to(page, "Undo").await;
    page.press([key::ENTER]).await;
    page.wait_for_text(&format!("Job #{job} waits for a worker again.")).await;
    wait_for_count(page, JobState::Cancelled, "0").await;
    let has_row = async || (focused(page).await == format!("#{job}")).then_some(());
    eventually("the job's row has the focus of the button that has gone", has_row).await;

    // A key does the same, and leaves the focus in the row.
    tab_to(page, &format!("Cancel job {job}")).await;
    page.press([key::ENTER]).await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    page.find(Role::Button, "Undo").await;
    page.press(['z']).await;
    wait_for_count(page, JobState::Cancelled, "0").await;
    eventually("the row still has the focus", has_row).await;
    page.press(['?']).await;
    page.find(Role::Dialog, "Keyboard shortcuts").await;
    page.wait_for_text("Undo the last action").await;
    test.finish().await;
}

#[tokio::test]
async fn a_jobs_row_opens_it() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be opened").await;
    page.open("/jobs").await;
    let job = job_about(page, "to be opened").await;
    let press = "[...document.querySelectorAll('.job_about')].find(e => e.innerText.includes('to be opened')).click()";
    page.script(press, vec![]).await;
    page.wait_for_path("the job's page", |path| path == format!("/jobs/{job}")).await;
    test.finish().await;
}

#[tokio::test]
async fn the_log_is_exported_by_keyboard() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be exported").await;
    page.wait_for_text("through row 1").await;
    page.press(['/']).await;
    tab_to(page, "Export").await;
    page.press([key::ENTER]).await;
    page.wait_for_text("Download all rows").await;
    page.assert_accessible("a log with its export menu").await;
    page.press([key::TAB]).await;
    assert!(focused(page).await.starts_with("CSV"), "the first format has the focus");
    page.press([key::ESCAPE]).await;
    eventually("the menu is closed", async || page.find_now(Role::Link, "CSV").await.is_none().then_some(())).await;
    assert!(focused(page).await.starts_with("Export"), "the focus is back on the button");
    test.finish().await;
}

#[tokio::test]
async fn the_theme_is_chosen_by_keyboard() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.find(Role::Button, "Account of").await;
    tab_to(page, &format!("Account of {NAME}")).await;
    page.press([key::ENTER, key::TAB]).await;
    // The system's theme is the last of the three.
    page.press(['\u{e012}']).await;
    eventually("the dark theme is chosen", async || {
        (page.attribute("html", "data-theme").await.as_deref() == Some("dark")).then_some(())
    })
    .await;
    page.press([key::ESCAPE]).await;
    eventually("the menu is closed", async || page.find_now(Role::Button, "Log out").await.is_none().then_some(()))
        .await;
    test.finish().await;
}

#[tokio::test]
async fn keys_are_mentioned_and_listed() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    for path in ["/viewlog", "/jobs", "/system"] {
        page.open(path).await;
        page.click(Role::Button, "Keyboard shortcuts").await;
        page.find(Role::Dialog, "Keyboard shortcuts").await;
        page.press([key::ESCAPE]).await;
    }
    test.finish().await;
}

#[tokio::test]
async fn a_cause_leads_to_what_can_be_done() {
    let test = BrowserTest::as_administrator(&["--no-worker"]).await;
    let page = &test.browser;
    page.open("/system").await;
    page.click(Role::Link, "See the workers").await;
    eventually("the workers have the focus", async || (focused(page).await == "Workers").then_some(())).await;
    assert!(page.path().await.starts_with("/system"), "the page is the same");
    test.finish().await;
}

#[tokio::test]
async fn a_password_can_be_shown() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/login?next=/jobs").await;
    page.wait_for_text("Log in to see the jobs.").await;
    page.fill("Password", "some words").await;
    assert_eq!(page.attribute("#password", "type").await.as_deref(), Some("password"));
    page.click(Role::Button, "Show the password").await;
    eventually("it is shown", async || {
        (page.attribute("#password", "type").await.as_deref() == Some("text")).then_some(())
    })
    .await;
    assert_eq!(page.value("Password").await, "some words");
    page.assert_accessible("a password that is shown").await;
    test.finish().await;
}
