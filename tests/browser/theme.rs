//! Light, dark, and what the system says.

use serde_json::Value;
use tests::browser::{Browser, Role, Scheme};
use tests::eventually::eventually;

use crate::stage::Stage;

#[tokio::test]
async fn follows_the_system_until_someone_chooses() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
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
    stage.finish().await;
}

/// interface.md's surfaces: #f3f5f7 and #151a21.
const LIGHT: &str = "rgb(243, 245, 247)";
const DARK: &str = "rgb(21, 26, 33)";

async fn wait_for_background(page: &Browser, color: &str) {
    eventually(&format!("the page's background is {color}"), async || {
        let script = "return [document.documentElement, document.body].map(e => getComputedStyle(e).backgroundColor)";
        let colors: Value = page.script(script, vec![]).await;
        colors.as_array().into_iter().flatten().any(|found| found == color).then_some(())
    })
    .await;
}

/// The radio buttons lie hidden below their pictures, which are what a person clicks.
async fn choose(page: &Browser, theme: &str) {
    page.script("document.querySelector(`input[name=theme][value=${arguments[0]}]`).click()", vec![theme.into()]).await;
}
