//! A thousand tasks on a few connections, some of them faulty: every connection comes back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use api::{DatabaseSpec, ItemErrorKind, LabEvent, LabFact, LabSummary, LabTrace};
use lab::EventSink;
use serde_json::{Value, json};
use server::lab::database::{PoolOpener, database};
use sqlx::PgConnection;
use store::Store;
use store_postgres::PostgresStore;
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use tests::PostgresCluster;
use tests::eventually;
use tests::server_process::Installation;
use tokio_util::sync::CancellationToken;

const SPEC: DatabaseSpec =
    DatabaseSpec { batches: 10, tasks_per_batch: 100, hold_ms: 3, failing: 5, panicking: 5, aborted: 5 };

fn in_file(file: &Path) -> PoolOpener {
    let file = file.to_owned();
    Arc::new(move || {
        let file = file.clone();
        Box::pin(async move {
            let access = store_sqlite::Access::Guest;
            let options = store_sqlite::Options { file, readers: DatabaseSpec::CONNECTIONS, access };
            let pool: Arc<dyn store::PoolProbe> = Arc::new(SqliteStore::open(options).await?);
            Ok(pool)
        })
    })
}

fn on_server(url: &str) -> PoolOpener {
    let url = url.to_owned();
    Arc::new(move || {
        let url = url.clone();
        Box::pin(async move {
            let options = store_postgres::Options { url, listen_url: None, connections: DatabaseSpec::CONNECTIONS };
            let opened = PostgresStore::open(options, store_postgres::Access::Guest).await;
            let pool: Arc<dyn store::PoolProbe> = Arc::new(opened?);
            Ok(pool)
        })
    })
}

/// A database that a server has open.
async fn served(folder: &TempDir) -> SqliteStore {
    let file = folder.path().join("search4letters.db");
    let options = store_sqlite::Options { file, readers: 8, access: store_sqlite::Access::Owner };
    SqliteStore::open(options).await.expect("a new database opens")
}

async fn run(spec: &DatabaseSpec, open: &PoolOpener, stop: &CancellationToken) -> (LabSummary, Vec<LabEvent>) {
    let (sink, mut stream) = EventSink::begin();
    let summary = database(spec, open, &sink, stop).await.expect("the database opens");
    drop(sink);
    let mut events = Vec::new();
    while let Some(event) = stream.recv().await {
        events.push(event);
    }
    (summary, events)
}

fn trace(events: &[LabEvent]) -> LabTrace {
    let mut trace = LabTrace::default();
    events.iter().cloned().for_each(|event| trace.apply(event));
    trace
}

/// Panics unless all tasks ended as planned and no connection was lost.
fn assert_complete(summary: &LabSummary, events: &[LabEvent]) {
    let trace = trace(events);
    let mut failed = BTreeMap::<ItemErrorKind, u32>::new();
    for error in trace.items.iter().filter_map(|item| item.error.as_ref()) {
        *failed.entry(error.kind).or_default() += 1;
    }
    let each = 50;
    let expected = [(ItemErrorKind::Task, each), (ItemErrorKind::Panic, each), (ItemErrorKind::Aborted, each)];
    let mut errors = trace.items.iter().filter_map(|item| item.error.as_ref());
    assert_eq!(errors.find(|error| error.kind == ItemErrorKind::Database), None, "{:?}", summary.pool);
    assert_eq!(failed, BTreeMap::from(expected));
    assert_eq!((summary.done, summary.failed, summary.cancelled), (850, 150, 0));
    assert!(trace.items.iter().all(|item| item.started_us.is_some() && item.started_us <= item.ended_us));
    assert!(trace.has_ended);

    let pool = summary.pool.expect("the event is there");
    assert_eq!((pool.leaked, pool.refused), (0, 0), "{pool:?}");
    assert_eq!((pool.max, pool.most_in_use), (DatabaseSpec::CONNECTIONS, DatabaseSpec::CONNECTIONS), "{pool:?}");
    assert!(pool.most_waiting > 0 && pool.most_waiting < 100 && pool.longest_wait_us > 0, "{pool:?}");
    assert!(trace.pool.iter().all(|step| step.in_use + step.idle <= DatabaseSpec::CONNECTIONS));
    let last = trace.pool.last().expect("the event is there");
    assert_eq!((last.in_use, last.waiting), (0, 0), "nothing is in use at the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_every_connection_returns() {
    let folder = TempDir::new().unwrap();
    let server = served(&folder).await;
    let open = in_file(&folder.path().join("search4letters.db"));
    let (summary, events) = run(&SPEC, &open, &CancellationToken::new()).await;
    assert_complete(&summary, &events);
    server.ping().await.expect("the server's own connections are as they were");
    assert_eq!(server.pool().waits, 0, "the server's own pool was used");
    server.close().await;
}

async fn backends(connection: &mut PgConnection) -> i64 {
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query_scalar(others).fetch_one(connection).await.expect("the superuser may")
}

async fn beside_a_server(act: impl AsyncFnOnce(PoolOpener)) {
    let database = PostgresCluster::shared().await.create_database().await;
    let url = database.url();
    let options = store_postgres::Options { url: url.clone(), listen_url: None, connections: 2 };
    let server = PostgresStore::open(options, store_postgres::Access::Owner).await.expect("an empty database opens");
    server.ping().await.expect("it answers");
    let mut superuser = database.connect().await;
    let before = backends(&mut superuser).await;
    act(on_server(&url)).await;
    eventually("the server has none of the lab's connections any more", async || {
        (backends(&mut superuser).await <= before).then_some(())
    })
    .await;
    server.ping().await.expect("the server's own connections are as they were");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_every_connection_returns_and_is_closed() {
    beside_a_server(async |open| {
        // A task that is aborted during a statement costs a connection, and a new one takes time. In smaller batches no task
        // reaches the pool's timeout, even on a busy machine.
        let spec = DatabaseSpec { batches: 40, tasks_per_batch: 25, ..SPEC };
        let (summary, events) = run(&spec, &open, &CancellationToken::new()).await;
        assert_complete(&summary, &events);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_run_closes_its_connections() {
    beside_a_server(async |open| {
        let (sink, mut stream) = EventSink::begin();
        let run = tokio::spawn(async move { database(&SPEC, &open, &sink, &CancellationToken::new()).await });
        while !matches!(stream.recv().await.expect("it goes on").what, LabFact::Done { .. }) {}
        run.abort();
        assert!(run.await.is_err_and(|error| error.is_cancelled()), "it was too fast to be aborted");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_counts_the_remaining_tasks() {
    let folder = TempDir::new().unwrap();
    let server = served(&folder).await;
    let open = in_file(&folder.path().join("search4letters.db"));
    let (stop, (sink, mut stream)) = (CancellationToken::new(), EventSink::begin());
    let run = tokio::spawn({
        let stop = stop.clone();
        async move { database(&SPEC, &open, &sink, &stop).await }
    });
    let mut events = Vec::new();
    while let Some(event) = stream.recv().await {
        if matches!(event.what, LabFact::Done { .. }) {
            stop.cancel();
        }
        events.push(event);
    }
    let summary = run.await.unwrap().expect("a stop is no failure");
    assert!(summary.done > 0 && summary.cancelled > 0, "{summary:?}");
    assert_eq!(summary.done + summary.failed + summary.cancelled, 1_000);
    assert_eq!(summary.pool.unwrap().leaked, 0);
    let trace = trace(&events);
    assert_eq!(trace.count(api::ItemState::Cancelled), usize::try_from(summary.cancelled).unwrap());
    server.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_opened_fails_the_run() {
    let open: PoolOpener = Arc::new(|| Box::pin(async { Err(anyhow::anyhow!("it is switched off")) }));
    let (sink, _telling) = EventSink::begin();
    let ended = database(&SPEC, &open, &sink, &CancellationToken::new()).await;
    assert_eq!(ended.expect_err("there is nothing to use").to_string(), "it is switched off");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_the_command_uses_a_temporary_one() {
    let installation = Installation::new();
    let line = ["lab", "database", "--batches", "2", "--tasks", "100", "--hold", "1ms"];
    let ended = installation.run(&line).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for part in ["2 batches of 100 tasks", "Database: an empty one in a temporary folder", "    170  done", "back: 0."]
    {
        assert!(ended.output.contains(part), "{part} in {}", ended.output);
    }
    assert!(!installation.database().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_uses_the_database_of_a_running_server() {
    let installation = Installation::new();
    let _server = installation.start(&[]).await;
    let line = ["lab", "database", "--batches", "1", "--tasks", "200", "--hold", "1ms", "--json"];
    let ended = installation.run(&line).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let document: Value = serde_json::from_str(&ended.output).expect("one document");
    assert_eq!((&document["tasks_per_batch"], &document["done"]), (&json!(200), &json!(170)));
    assert_eq!(document["errors"], json!({"task": 10, "panic": 10, "aborted": 10}));
    assert_eq!((&document["pool"]["leaked"], &document["pool"]["refused"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_names_the_server_without_its_password() {
    let database = PostgresCluster::shared().await.create_database().await;
    let installation = Installation::new().with_database(&database.url());
    let migrated = installation.run(&["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.output);
    let ended = installation.run(&["lab", "database", "--batches", "2", "--tasks", "10", "--hold", "1ms"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains(database.name()) && !ended.output.contains("of the tests"), "{}", ended.output);
}
