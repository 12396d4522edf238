//! The SQLite store: all promises, shared commits and locked files.

mod audit;
mod opening;
mod plans;
mod surroundings;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::SearchId;
use async_trait::async_trait;
use futures::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{AttemptResult, FinishedAttempt, JobAdmin, JobQueue, SearchLog, Store, StoreError};
use store_sqlite::{Access, OpenError, Options, SqliteStore};
use tempfile::TempDir;
use tests::builders::{START, claim, finished, log_entry, log_job, retry, search};

use crate::{Database, test_every_promise};

mod promised {
    use super::*;

    test_every_promise!(SqliteDatabase);
}

/// A store in a folder of its own.
pub(crate) struct SqliteDatabase {
    store: Arc<SqliteStore>,
    folder: TempDir,
}

#[async_trait]
impl Database for SqliteDatabase {
    const CASES: u32 = 96;

    async fn create() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Arc::new(open(folder.path()).await.unwrap());
        Self { store, folder }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn pool_probe(&self) -> Arc<dyn store::PoolProbe> {
        self.store.clone()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Arc::new(open(self.folder.path()).await.unwrap());
    }
}

async fn open(folder: &Path) -> Result<SqliteStore, OpenError> {
    open_as(folder, Access::Owner).await
}

async fn open_as(folder: &Path, access: Access) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(Options { file: folder.join("search4letters.db"), readers: 4, access }).await
}

/// Another program's connection to the database file in `folder`.
async fn connect_to(folder: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(folder.join("search4letters.db")).connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_match_the_table_after_concurrent_writes() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    join_all((0..1000).map(|number| store.accept(search(number % 700), log_job(search(number % 700))))).await;
    let mut connection = connect_to(folder.path()).await;
    let counted: i64 = sqlx::query_scalar("select count(*) from job").fetch_one(&mut connection).await.unwrap();
    let kept: i64 = sqlx::query_scalar("select sum(count) from job_count").fetch_one(&mut connection).await.unwrap();
    assert_eq!((counted, kept), (700, 700));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writes_share_few_commits() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    let before = wal_frames(folder.path());
    join_all((0..1000).map(|number| store.accept(search(number), log_job(search(number))))).await;
    // A commit by itself writes at least five pages: the job, three indexes and the count.
    let frames = wal_frames(folder.path()) - before;
    assert!(frames < 2500, "{frames} pages were written for 1,000 searches");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_that_have_done_their_job_have_no_row() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    for number in 0..40 {
        store.accept(search(number), log_job(search(number))).await.unwrap();
    }
    let claimed = store.claim(claim("w", 40, START)).await.unwrap();
    // All but three by one commit, the first two each by its own: one as a log job's attempt, one without a row.
    let done = claimed.iter().map(|job| finished(job, "w", AttemptResult::Done, START));
    let mut ended: Vec<_> = (0..).map(search).zip(done).collect();
    ended[39].1.result = retry("one that fails has a row");
    let record = |(id, ended): (SearchId, FinishedAttempt)| store.record(log_entry(id, "life"), ended);
    record(ended.remove(0)).await.unwrap();
    store.finish(vec![ended.remove(0).1]).await.unwrap();
    store.finish(vec![ended.pop().expect("one is left").1]).await.unwrap();
    join_all(ended.into_iter().map(record)).await;
    assert_eq!(store.job_counts().await.unwrap().done, 39);
    let mut connection = connect_to(folder.path()).await;
    let rows: Vec<String> = sqlx::query_scalar("select outcome from attempt").fetch_all(&mut connection).await.unwrap();
    assert_eq!(rows, ["failed"]);
}

/// Pages in the write-ahead log: each has a header of 24 bytes, and the file one of 32.
fn wal_frames(folder: &std::path::Path) -> u64 {
    let size_bytes = std::fs::metadata(folder.join("search4letters.db-wal")).unwrap().len();
    size_bytes.saturating_sub(32) / (4096 + 24)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_waits_for_another_programs_lock_and_reads_do_not() {
    let folder = TempDir::new().unwrap();
    let store = std::sync::Arc::new(open(folder.path()).await.unwrap());
    let mut connection = connect_to(folder.path()).await;
    let lock = connection.begin_with("begin immediate").await.unwrap();
    let waiting = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move { store.accept(search(1), log_job(search(1))).await }
    });
    let counts = tokio::time::timeout(Duration::from_secs(30), store.job_counts()).await.expect("reads continue");
    assert_eq!(counts.unwrap().waiting, 0);
    assert!(!waiting.is_finished());
    lock.rollback().await.unwrap();
    waiting.await.unwrap().expect("written once the lock is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_lock_is_a_connection_error_until_it_is_released() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    let mut connection = connect_to(folder.path()).await;
    let lock = connection.begin_with("begin immediate").await.unwrap();
    let refused = store.accept(search(1), log_job(search(1))).await;
    assert!(matches!(refused, Err(StoreError::Connection(_))), "{refused:?}");
    assert!(matches!(store.ping().await, Err(StoreError::Connection(_))));
    lock.rollback().await.unwrap();
    store.ping().await.unwrap();
    store.accept(search(1), log_job(search(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_table_is_an_sql_error() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    let mut connection = connect_to(folder.path()).await;
    sqlx::query("drop table attempt").execute(&mut connection).await.unwrap();
    let read = store.attempts(api::JobId(1)).await;
    assert!(matches!(read, Err(StoreError::Sql(_))), "{read:?}");
}

#[tokio::test]
async fn a_moved_file_is_not_written_until_it_is_back() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    let (file, elsewhere) = (folder.path().join("search4letters.db"), folder.path().join("elsewhere.db"));
    store.accept(search(1), log_job(search(1))).await.unwrap();
    std::fs::rename(&file, &elsewhere).unwrap();
    let refused = store.accept(search(2), log_job(search(2))).await;
    let Err(StoreError::Connection(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("moved away") && why.contains("put it back"), "{why}");
    std::fs::copy(&elsewhere, &file).unwrap();
    let refused = store.accept(search(2), log_job(search(2))).await;
    assert!(matches!(&refused, Err(StoreError::Connection(why)) if why.contains("replaced")), "{refused:?}");
    std::fs::rename(&elsewhere, &file).unwrap();
    store.accept(search(2), log_job(search(2))).await.unwrap();
    assert_eq!(store.ledger().await.unwrap().accepted, 2);
    store.close().await;
}
