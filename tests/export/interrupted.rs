//! What is not whole does not look like it.

use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tests::eventually;
use tests::server_process::Installation;
use tokio::time::timeout;

use crate::place::Place;

/// Enough that it is not over before it is stopped.
const ROWS: u128 = 60_000;

/// Changes rows by hand so that no export gets through.
async fn break_rows_behind(file: &std::path::Path, id: u32) {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.expect("the database");
    let broken = format!("update log set search_id = 'broken' || id where id > {id}");
    sqlx::query(AssertSqlSafe(broken)).execute(&mut connection).await.expect("rows are changed by hand");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_leaves_no_file() {
    let place = Place::sqlite().await;
    place.record_many(4_000).await;
    break_rows_behind(&place.installation.database(), 3_000).await;
    for format in ["ndjson", "csv", "sqlite"] {
        let file = place.path(&format!("log.{format}"));
        let arguments = ["export", "--format", format, "--output", file.to_str().expect("a plain path")];
        let ended = place.spawn(&arguments).wait_with_output().await.expect("our own child");
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && complaint.contains("search id"), "{complaint}");
        assert!(!file.exists() && place.parts().is_empty(), "{format}");
    }
}

#[tokio::test]
async fn a_killed_export_leaves_no_file_and_the_next_one_is_whole() {
    let place = Place::sqlite().await;
    place.record_many(ROWS).await;
    let file = place.path("log.sqlite");
    let arguments = ["export", "--format", "sqlite", "--output", file.to_str().expect("a plain path")];
    let mut export = place.spawn(&arguments);
    eventually("some of it is written", async || {
        let sizes = place.parts().into_iter().filter_map(|part| std::fs::metadata(part).ok());
        sizes.map(|part| part.len()).max().filter(|&bytes| bytes > 100_000).map(drop)
    })
    .await;
    export.kill().await.expect("our own child");
    assert!(!file.exists(), "half a file has the whole one's name");
    place.prints(&arguments).await;
    assert!(file.exists());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_breaks_the_answer() {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let mut admin = server.client();
    admin.set_up(&server.setup_token().await, "ada", "correct horse battery staple").await;
    let place = Place::beside(installation).await;
    place.record_many(ROWS).await;
    let whole = admin.get("/api/admin/log/export").await.expect("answered");
    assert_eq!(whole.body.lines().count() as u128, ROWS);
    break_rows_behind(&place.installation.database(), 50_000).await;
    let broken = timeout(Duration::from_secs(60), admin.get("/api/admin/log/export")).await.expect("in time");
    assert!(broken.is_err(), "an answer that is not whole looks like it");
}
