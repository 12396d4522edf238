//! The job of docs/adding-a-job.md, run on a throwaway database.

mod greet;

use std::sync::Arc;
use std::time::Duration;

use api::JobState;
use queue::{Backoff, Settings};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use store::{Enqueued, Store, SystemClock, WorkerName};
use store_sqlite::{Access, Options, SqliteStore};
use tests::eventually;
use tokio_util::sync::CancellationToken;

use self::greet::{Greet, enqueue, perform};

#[tokio::test]
async fn the_job_of_the_page_is_done_and_its_row_is_written_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = database(&folder.path().join("product.db")).await;
    let options = Options { file: folder.path().join("jobs.db"), readers: 2, access: Access::Owner };
    let store = Arc::new(SqliteStore::open(options).await.expect("opened"));

    let clock = Arc::new(SystemClock::start());
    let stop = CancellationToken::new();
    let settings = Settings {
        worker: WorkerName("greeter-1".to_owned()),
        slots: 16,
        claim_debounce: Duration::ZERO,
        lease: Duration::from_secs(15),
        timeout: Duration::from_secs(60),
        backoff: Backoff { first: Duration::from_secs(1), limit: Duration::from_secs(900) },
        grace: Duration::from_secs(10),
        shares_store: false,
        jitter: Arc::new(fastrand::f64),
    };
    let handler = {
        let database = database.clone();
        move |job| perform(job, database.clone())
    };
    let worker = tokio::spawn(queue::run(store.clone(), clock.clone(), settings, handler, stop.clone()));

    let ada = Greet { name: "Ada".to_owned() };
    let Enqueued::New(job) = enqueue(&*store, &*clock, &ada).await.expect("stored") else { panic!("it was new") };
    let again = enqueue(&*store, &*clock, &ada).await.expect("stored");
    assert_eq!(again, Enqueued::Exists(job), "the key makes it the same job");
    let is_done = async || {
        let job = store_job(&*store, job).await;
        (job == JobState::Done).then_some(())
    };
    eventually("the job is done", is_done).await;
    let greeted: Vec<String> =
        sqlx::query_scalar("select name from greeting").fetch_all(&database).await.expect("the table exists");
    assert_eq!(greeted, ["Ada"]);

    stop.cancel();
    worker.await.expect("the worker does not panic");
    store.close().await;
}

async fn store_job(store: &dyn Store, id: api::JobId) -> JobState {
    store.job(id).await.expect("read").expect("there").state
}

/// The product's own database, with the table that the job writes to.
async fn database(file: &std::path::Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.expect("a new file");
    sqlx::query("create table greeting (name text primary key)").execute(&pool).await.expect("a new table");
    pool
}
