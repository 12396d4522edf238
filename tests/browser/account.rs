//! Setup, login and logout of administrators.

use tests::browser::Role;
use tests::eventually;

use crate::{BrowserTest, NAME, PASSWORD, log_out};

#[tokio::test]
async fn a_setup_link_works_once() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    log_out(page).await;

    page.expect_on_console("410");
    page.open(&format!("/setup#token={}", test.server.setup_token().await)).await;
    page.wait_for_text("This link was used already").await;
    page.wait_for_text("search4letters admin link").await;
    assert!(!page.text().await.contains("Create admin"), "a used link shows no form");
    test.finish().await;
}

#[tokio::test]
async fn another_setup_link_in_the_same_tab_is_followed() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("410");
    page.open("/setup#token=00000000000000000000000000000000").await;
    page.wait_for_text("This link was used already").await;
    page.open(&format!("/setup#token={}", test.server.setup_token().await)).await;
    page.wait_for_text("You opened the setup link").await;
    eventually("the first field has the focus", async || {
        (page.script("return document.activeElement.id", vec![]).await == "name").then_some(())
    })
    .await;
    assert!(page.find_now(Role::Link, "Log in").await.is_none(), "there is no account yet to log in to");
    page.fill("Name", "ada").await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Create admin").await;
    page.wait_for_path("the account is made", |path| path == "/viewlog").await;
    test.finish().await;
}

#[tokio::test]
async fn a_late_frame_does_not_take_the_focus_from_a_field() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("410");
    page.open("/setup#token=00000000000000000000000000000000").await;
    page.wait_for_text("This link was used already").await;
    // As on a busy machine.
    page.script("window.frames_due = []; window.requestAnimationFrame = frame => frames_due.push(frame)", vec![]).await;
    page.open(&format!("/setup#token={}", test.server.setup_token().await)).await;
    page.wait_for_text("You opened the setup link").await;
    eventually("a frame is due", async || {
        (page.script("return frames_due.length > 0", vec![]).await == true).then_some(())
    })
    .await;
    page.fill("Password", "half of a").await;
    page.script("frames_due.splice(0).forEach(frame => frame(performance.now()))", vec![]).await;
    assert_eq!(page.script("return document.activeElement.id", vec![]).await, "password");
    assert_eq!(page.value("Name").await, "");
    test.finish().await;
}

#[tokio::test]
async fn another_place_on_the_setup_page_keeps_its_link() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open(&format!("/setup#token={}", test.server.setup_token().await)).await;
    page.fill("Name", "ada").await;
    page.script("document.querySelector('.skip_link').click()", vec![]).await;
    assert!(page.path().await.contains("#token="), "the page can be loaded again");
    let go = "addEventListener('hashchange', () => arguments[0](), {once: true}); location.hash = 'main'";
    page.script_async(go, vec![]).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Create admin").await;
    page.wait_for_path("the account is made", |path| path == "/viewlog").await;
    test.finish().await;
}

#[tokio::test]
async fn a_browser_that_refuses_the_cookie_is_told_so() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    log_out(page).await;
    page.open("/login").await;
    page.find(Role::Button, "Log in").await;
    // As if the cookie had not been kept.
    let forget = "const real = window.fetch;
                  window.fetch = async (request, ...rest) => {
                      const answer = await real(request, ...rest);
                      if (!String(request.url ?? request).endsWith('/api/session')) return answer;
                      return Response.json({...await answer.json(), account: null});
                  };";
    page.script(forget, vec![]).await;
    page.fill("Name", NAME).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_text("Allow cookies for this site").await;
    assert_eq!(page.path().await, "/login");
    test.finish().await;
}

#[tokio::test]
async fn a_page_with_a_long_address_is_returned_to() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    log_out(page).await;
    let long = format!("/viewlog?q={}", "%E6%97%A5".repeat(2_000));
    page.open(&long).await;
    page.wait_for_path("the address of the login is short", |path| path == "/login").await;
    page.fill("Name", NAME).await;
    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_path("the login leads back", |path| path == long).await;
    test.finish().await;
}

#[tokio::test]
async fn opening_the_logout_page_ends_nothing() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.open("/logout").await;
    page.wait_for_text("You are logged in as").await;
    page.open("/viewlog").await;
    page.click(Role::Button, &format!("Account of {NAME}")).await;
    page.click(Role::Button, "Log out").await;
    page.wait_for_path("the menu leads to the page that says so", |path| path == "/logout").await;
    page.wait_for_text("You are logged out").await;
    page.open("/viewlog").await;
    page.wait_for_path("the session has ended", |path| path.starts_with("/login")).await;
    test.finish().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_the_right_one_leads_to_the_requested_page() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    log_out(page).await;

    page.open("/jobs?state=dead").await;
    page.wait_for_path("the jobs page redirects to the login", |path| path.starts_with("/login?next=")).await;
    page.expect_on_console("401");
    page.fill("Name", NAME).await;
    page.fill("Password", "not the passphrase").await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_text("wrong").await;
    assert!(page.path().await.starts_with("/login"));

    page.fill("Password", PASSWORD).await;
    page.click(Role::Button, "Log in").await;
    page.wait_for_path("the login leads back", |path| path == "/jobs?state=dead").await;
    test.finish().await;
}

#[tokio::test]
async fn after_logging_out_the_back_button_shows_nothing() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.open("/?phrase=confidential").await;
    page.click(Role::Button, "Log this search").await;
    page.wait_for_text("In the log: row 1").await;
    page.open("/viewlog").await;
    page.wait_for_text("confidential").await;
    log_out(page).await;
    // The browser may restore the page from its memory. The server then refuses its streams.
    page.expect_on_console("401");
    page.back().await;
    page.wait_for_path("the log redirects to the login", |path| path.starts_with("/login")).await;
    assert!(!page.text().await.contains("confidential"));
    test.finish().await;
}

#[tokio::test]
async fn after_logging_in_the_search_page_shows_the_account() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    log_out(page).await;
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
    page.wait_for_path("the link leads to the jobs", |path| path == "/jobs").await;
    test.finish().await;
}
