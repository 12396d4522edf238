//! Backups of an SQLite database that is being written to.

use std::path::{Path, PathBuf};

use api::SearchId;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tests::server_process::Installation;

use super::guide;
use super::restored::Promises;
use crate::journal::Journal;
use crate::lock::Lock;

/// Jobs take so long that a backup meets some that are not done.
const SLOWLY: &[&str] = &["--log-delay", "300ms"];

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_under_load_has_all_that_was_answered_before() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(SLOWLY).await;
    let mut load = journal.load(&server.client(), 8);
    load.answered(400).await;
    let promises = Promises::so_far(&journal);
    let backup = back_up(&installation).await;
    load.answered_more(100).await;
    load.stop().await;
    server.kill().await;
    restored(backup.path(), &journal, promises).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_what_is_in_the_spool() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(SLOWLY).await;
    let mut load = journal.load(&server.client(), 8);
    load.answered(100).await;
    let lock = Lock::take(&installation.database()).await;
    journal.counts_more(api::Recorded::Spooled, 50).await;
    let promises = Promises::so_far(&journal);
    let backup = back_up(&installation).await;
    lock.release().await;
    load.answered_more(100).await;
    load.stop().await;
    server.kill().await;
    restored(backup.path(), &journal, promises).await;
}

async fn back_up(installation: &Installation) -> tempfile::TempDir {
    let backup = tempfile::tempdir().expect("a temporary folder");
    let variables = [("DATA", text(installation.folder())), ("BACKUP", text(backup.path()))];
    let printed = guide::run("backup-sqlite", &variables).await;
    assert_eq!(printed.lines().last(), Some("ok"), "{printed}");
    backup
}

async fn restored(backup: &Path, journal: &Journal, promises: Promises) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("restored");
    guide::run("restore-sqlite", &[("BACKUP", text(backup)), ("RESTORED", text(&data))]).await;
    let installation = Installation::new().with_data(&data);
    let database = data.join("search4letters.db");
    assert!(open_jobs(&database).await > 0, "the backup has met no job that was not done");
    let _server = installation.start(&[]).await;
    promises.kept(&installation, journal, async || log(&database).await).await;
}

async fn open_jobs(database: &PathBuf) -> i64 {
    let sql = "select count(*) from job where state <> 'done'";
    sqlx::query_scalar(sql).fetch_one(&mut connect(database).await).await.expect("table job is there")
}

async fn log(database: &PathBuf) -> Vec<SearchId> {
    let ids =
        sqlx::query_scalar::<_, String>("select search_id from log").fetch_all(&mut connect(database).await).await;
    let ids = ids.expect("table log is there");
    ids.into_iter().map(|id| id.parse().expect("search ids are ULIDs")).collect()
}

async fn connect(database: &PathBuf) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database);
    SqliteConnection::connect_with(&options).await.expect("it was restored")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our own paths are UTF-8")
}
