//! Web and worker processes on one PostgreSQL database, and how they start.

use std::time::Duration;

use api::{JobState, ReceiptState, Recorded, StreamEnd};
use sqlx::AssertSqlSafe;
use tests::eventually;
use tests::http_client::EventStream;
use tests::postgres_cluster::{PostgresCluster, PostgresDatabase};
use tests::server_process::{Installation, ServerProcess};

use crate::client_log::ClientLog;
use crate::jobs::libfaketime;
use crate::terminate::ServiceManager;
use crate::verdict::refused;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Another process on the database, with its own data folder.
fn on(database: &PostgresDatabase) -> Installation {
    Installation::new().with_variable("DATABASE_URL", database.url())
}

async fn worker(installation: &Installation, arguments: &[&str]) -> ServerProcess {
    let worker = installation.launch(&[&["work"], arguments].concat());
    eventually("the worker works", async || worker.output().contains("running jobs as").then_some(())).await;
    worker
}

async fn number(database: &PostgresDatabase, sql: &str) -> i64 {
    let mut connection = database.connect().await;
    let number = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await;
    number.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn all_logged(database: &PostgresDatabase, client_log: &ClientLog) {
    let promised = i64::try_from(client_log.promised().len()).expect("few");
    eventually("each promised row is there", async || {
        (number(database, "select count(*) from log").await == promised).then_some(())
    })
    .await;
    assert_eq!(number(database, "select count(distinct search_id) from log").await, promised);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_process_does_the_jobs_of_a_web_process() {
    let database = PostgresCluster::shared().await.create_database().await;
    let (web, back) = (on(&database), on(&database));
    let client_log = ClientLog::default();
    let server = web.start(&["--no-worker"]).await;
    for _ in 0..10 {
        assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Accepted));
    }
    assert_eq!(number(&database, "select count(*) from job where state = 'waiting'").await, 10, "no worker runs yet");
    let worker = worker(&back, &[]).await;
    all_logged(&database, &client_log).await;
    let known = "select count(*) from worker where host <> '' and version <> '' and slots = 1024";
    eventually("the worker is known", async || (number(&database, known).await == 1).then_some(())).await;
    assert!(worker.terminate(TIMEOUT).await.success());
    assert_eq!(number(&database, "select count(*) from worker").await, 0, "it has ended successfully");
    assert!(server.terminate(TIMEOUT).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_worker_releases_its_unfinished_jobs() {
    let database = PostgresCluster::shared().await.create_database().await;
    let manager = ServiceManager::new();
    let (web, back) = (on(&database), manager.watches(on(&database), Duration::from_secs(1)));
    let client_log = ClientLog::default();
    let server = web.start(&["--no-worker"]).await;
    let worker = worker(&back, &["--log-delay", "1h", "--grace", "1s"]).await;
    manager.receives("READY=1").await;
    manager.receives("WATCHDOG=1").await;
    assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Accepted));
    let running = "select count(*) from job where state = 'running'";
    eventually("the job runs", async || (number(&database, running).await == 1).then_some(())).await;
    assert!(worker.terminate(TIMEOUT).await.success());
    manager.receives("STOPPING=1").await;
    assert_eq!(number(&database, "select count(*) from job where state = 'waiting'").await, 1);
    let _next = self::worker(&back, &[]).await;
    all_logged(&database, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough_for_a_process() {
    let database = PostgresCluster::shared().await.create_database().await;
    let client_log = ClientLog::default();
    let installation = on(&database);
    let server = installation.start(&["--database-connections", "1"]).await;
    let mut load = client_log.load(&server.client(), 8);
    load.answered(200).await;
    load.stop().await;
    all_logged(&database, &client_log).await;
    assert!(server.terminate(TIMEOUT).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_whose_clocks_are_hours_apart_share_jobs_correctly() {
    let database = PostgresCluster::shared().await.create_database().await;
    let hours_off = |hours: &str| {
        on(&database)
            .with_variable("LD_PRELOAD", libfaketime())
            .with_variable("FAKETIME", hours)
            .with_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    };
    let (web, ahead, behind) = (hours_off("+3h"), hours_off("+5h"), hours_off("-7h"));
    let client_log = ClientLog::default();
    let server = web.start(&["--no-worker"]).await;
    let arguments = ["--log-delay", "100ms", "--workers", "4"];
    let (first, second) = (worker(&ahead, &arguments).await, worker(&behind, &arguments).await);
    assert!(first.output().contains("clock and the database's differ"), "{}", first.output());
    for _ in 0..100 {
        assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Accepted));
    }
    all_logged(&database, &client_log).await;
    assert_eq!(number(&database, "select count(*) from attempt where outcome <> 'done'").await, 0);
    assert_eq!(number(&database, "select count(distinct done_by) from job").await, 2, "both have worked");
    // The job takes longer than a lease. Its worker keeps it, whatever the other worker's clock says.
    let slow = worker(&ahead, &["--log-delay", "18s", "--workers", "1"]).await;
    let keeper = "select count(*) from job where state = 'running'";
    assert!(first.terminate(TIMEOUT).await.success());
    second.freeze();
    client_log.search(&server.client()).await;
    eventually("the slow one has it", async || (number(&database, keeper).await == 1).then_some(())).await;
    second.thaw();
    all_logged(&database, &client_log).await;
    assert_eq!(number(&database, "select count(*) from attempt where outcome <> 'done'").await, 0);
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_wait_for_a_database_that_starts_later() {
    let cluster = PostgresCluster::durable(&[]).await;
    let database = cluster.create_database().await;
    cluster.stop_immediately().await;
    let mut processes = Vec::new();
    let installations = [on(&database), on(&database)];
    for (installation, command) in installations.iter().zip(["serve", "work"]) {
        let process = installation.launch(&[command]);
        eventually("it says what it waits for", async || {
            let line = process.output().contains("waiting for the database: the database test_");
            (line && process.output().contains("See that the server runs")).then_some(())
        })
        .await;
        processes.push(process);
    }
    cluster.start().await;
    processes[0].ready().await;
    eventually("the worker works", async || processes[1].output().contains("running jobs as").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_do_not_wait_for_a_database_that_refuses_and_print_no_password() {
    let cluster = PostgresCluster::shared().await;
    let database = cluster.create_database().await;
    let url = database.url();
    let (_, address) = url.split_once('@').expect("with a user");
    let server = address.split_once('/').map_or(address, |(server, _)| server);
    let newer = cluster.create_database().await;
    assert_eq!(on(&newer).run(&["migrate"]).await.code, Some(0));
    let of_the_future = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (9999, 'of the future', true, '', 0);
         update compatibility set oldest_schema = 9999";
    sqlx::raw_sql(of_the_future).execute(&mut newer.connect().await).await.expect("done");
    for (url, fault, fix) in [
        (format!("postgres://postgres:hunter2@{address}"), "CredentialsError: ", "pg_hba.conf"),
        (newer.url(), "SqlError: ", "Install that version"),
    ] {
        let installation = Installation::new().with_variable("DATABASE_URL", url);
        for command in ["serve", "work", "migrate"] {
            refused(&installation, &[command], fault, fix).await;
        }
        let check = installation.run(&["check"]).await;
        assert!(check.output.contains(fault) && !check.output.contains("hunter2"), "{}", check.output);
        assert!(!check.output.contains("of the tests") && check.output.contains(server), "{}", check.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_examines_the_database_server() {
    let database = PostgresCluster::shared().await.create_database().await;
    let installation = on(&database);
    let unmade = installation.run(&["check"]).await;
    assert!(unmade.output.contains("search4letters migrate"), "{}", unmade.output);
    assert_eq!(installation.run(&["migrate"]).await.code, Some(0));
    let check = installation.run(&["check"]).await;
    for line in [
        "is a sound database of this version",
        "ok     the server accepts every change that this program makes",
        "ok     processes hear each other: LISTEN and NOTIFY work",
        "ok     the server takes 197 connections",
        "ok     this machine's clock and the database's agree",
        "ok     the database answers",
    ] {
        assert!(check.output.contains(line), "{line}\n{}", check.output);
    }
    let refuse = "create publication everything for all tables; alter table tally replica identity nothing";
    sqlx::raw_sql(refuse).execute(&mut database.connect().await).await.expect("done");
    let refused = installation.run(&["check"]).await;
    assert!(refused.output.contains("WRONG  the server refuses to change the table tally"), "{}", refused.output);
    let many = installation.run(&["check", "--database-connections", "197"]).await;
    assert!(many.output.contains("WRONG  the server takes 197 connections"), "{}", many.output);
}

/// The installation of a web process that was lost with so many records in its spool, while the database was down.
async fn lost_with_spool(
    cluster: &PostgresCluster,
    database: &PostgresDatabase,
    client_log: &ClientLog,
    records: usize,
) -> Installation {
    let lost = on(database);
    let server = lost.start(&["--no-worker"]).await;
    cluster.stop_immediately().await;
    for _ in 0..records {
        assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Spooled));
    }
    server.kill().await;
    cluster.start().await;
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spool_of_a_lost_web_process_is_replayed_beside_others() {
    let cluster = PostgresCluster::durable(&[]).await;
    let database = cluster.create_database().await;
    let client_log = ClientLog::default();
    let lost = lost_with_spool(&cluster, &database, &client_log, 10).await;
    let others = on(&database);
    let _others = others.start(&[]).await;
    let spool = lost.folder().join("spool").display().to_string();
    for said in ["recorded: 10, already known: 0", "recorded: 0, already known: 0"] {
        let replayed = others.run(&["spool", "replay", &spool]).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.output);
        assert!(replayed.output.contains(said), "{}", replayed.output);
    }
    all_logged(&database, &client_log).await;
}

/// Panics unless the next event of the stream is a state.
async fn next_state(events: &mut EventStream) -> ReceiptState {
    let event = events.next().await.expect("the stream goes on");
    assert_eq!(event.name, "message", "{event:?}");
    event.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_from_another_process_is_unknown_until_its_spool_is_replayed() {
    let cluster = PostgresCluster::durable(&[]).await;
    let database = cluster.create_database().await;
    let client_log = ClientLog::default();
    let lost = lost_with_spool(&cluster, &database, &client_log, 2).await;
    let others = on(&database);
    let other = others.start(&["--no-worker"]).await;
    let mut streams = Vec::new();
    for receipt in client_log.receipts(Recorded::Spooled) {
        let path = format!("/api/receipts/{}", receipt.0);
        let unknown = other.client().get(&path).await.expect("it answers");
        assert!(unknown.status == 404 && unknown.body.contains("another server's spool"), "{}", unknown.body);
        let mut events = other.client().listen(&format!("{path}/events"), None).await.expect("a stream");
        assert_eq!(events.next().await.expect("an event").name, ReceiptState::UNKNOWN_EVENT);
        streams.push(events);
    }
    let spool = lost.folder().join("spool").display().to_string();
    assert_eq!(others.run(&["spool", "replay", &spool]).await.code, Some(0));
    for events in &mut streams {
        assert_eq!(next_state(events).await.state, JobState::Waiting);
    }
    let [first, second] = streams.as_mut_slice() else { panic!("two streams") };
    let delete = "delete from job where id = (select min(id) from job where kind = 'log_request')";
    sqlx::raw_sql(delete).execute(&mut database.connect().await).await.expect("done");
    // The jobs may be in another order than the receipts.
    let (deleted, kept) = tokio::select! {
        None = first.next() => (first, second),
        None = second.next() => (second, first),
    };
    assert_eq!(deleted.received.end, Some(StreamEnd::Gone), "what was here and is not was deleted");
    let _worker = worker(&on(&database), &[]).await;
    let recorded = loop {
        let state = next_state(kept).await;
        if state.is_settled() {
            break state;
        }
    };
    assert!(recorded.row.is_some() && kept.next().await.is_none());
    assert_eq!(kept.received.end, Some(StreamEnd::Complete));
}
