//! A visitor searches while the log's database does not answer.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tests::browser::Role;

use crate::stage::Stage;

#[tokio::test]
async fn the_page_says_where_the_record_is_and_recovers_by_itself() {
    let stage = Stage::open_for_administrator(&[]).await;
    let page = &stage.browser;
    page.click(Role::Link, "Search").await;
    page.find(Role::Heading, "Welcome to search4letters").await;
    // Appears when the wasm has taken over from the painted form, whose fields go.
    page.find(Role::Button, "Account of").await;
    let mut other =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(stage.installation.database()))
            .await
            .expect("the database is a file that another program may open");
    // From now on nobody else can write.
    other.execute("begin immediate").await.expect("the lock is free");

    page.fill("Phrase", "life").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("safe on the server's disk, waiting for the database").await;
    assert_eq!(page.texts(".results code").await, ["{'e', 'i'}"], "the result does not wait for the database");
    let search = page.window().await;
    page.new_tab().await;
    page.open("/system").await;
    page.find(Role::Link, "spooled 1").await;
    page.wait_for_text("Drift 0").await;
    page.assert_accessible("/system with a spooled search").await;

    other.execute("rollback").await.expect("a lock can be given back");
    page.find(Role::Link, "recorded 1").await;
    page.find(Role::Link, "spooled 0").await;
    page.switch(&search).await;
    page.wait_for_text("recorded as row 1").await;
    page.wait_for_text("the database has it now").await;
    assert!(!page.text().await.contains("is not answering"));
    stage.finish().await;
}
