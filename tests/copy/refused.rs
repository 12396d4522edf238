//! Targets that are refused, and copies that are not served.

use std::fs;

use server::cli::Copied;
use tests::builders::{account, job, log_entry, log_job, no_attempt, search, signed};

use crate::endpoints::{Endpoint, PostgresEndpoint, SqliteEndpoint, copy_at_once, copy_quietly, for_each_pair};

for_each_pair! {
    a_target_that_is_not_empty_is_refused,
    an_unfinished_copy_is_not_served_and_only_its_source_can_finish_it,
    a_complete_copy_is_not_repeated,
    a_row_that_changed_during_the_copy_is_named,
}

async fn refusal<From: Endpoint, To: Endpoint>(from: &From, to: &To) -> String {
    let (source, target) = (from.source().await.unwrap(), to.target().await.unwrap());
    let error = copy_quietly(&*source, &*target).await.expect_err("it must be refused").to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

async fn used<P: Endpoint>() -> P {
    let endpoint = P::create().await;
    let store = endpoint.store().await.unwrap();
    store.create_account(account("ada"), &signed()).await.unwrap();
    for number in 0..3 {
        store.record(log_entry(search(number), "life"), no_attempt()).await.unwrap();
    }
    store.accept(search(9), log_job(search(9))).await.unwrap();
    store.close().await;
    endpoint
}

async fn a_target_that_is_not_empty_is_refused<From: Endpoint, To: Endpoint>() {
    let from = used::<From>().await;
    for what in ["accounts", "a log", "jobs", "a ledger with searches"] {
        let to = To::create().await;
        let store = to.store().await.unwrap();
        match what {
            "accounts" => drop(store.create_account(account("eve"), &signed()).await.unwrap()),
            "a log" => drop(store.record(log_entry(search(1), "life"), no_attempt()).await.unwrap()),
            "jobs" => drop(store.enqueue(job("any")).await.unwrap()),
            _ => {
                store.accept(search(1), log_job(search(1))).await.unwrap();
                let job = store.position("log_request", &search(1).to_string()).await.unwrap().expect("it waits").job;
                store.cancel_job(job, api::TimeMs(1), Some(&signed())).await.unwrap();
                store.prune_jobs(api::TimeMs(i64::MAX), 9).await.unwrap();
            }
        }
        store.close().await;
        let error = refusal(&from, &to).await;
        assert!(error.contains("is not empty: it holds") && error.contains(what), "{error}");
        assert!(error.contains("Copy into an empty database: "), "{error}");
        to.store().await.expect("it is as it was");
    }
}

/// Begins a copy and abandons it.
async fn begin<From: Endpoint, To: Endpoint>(from: &From, to: &To) {
    let (source, target) = (from.source().await.unwrap(), to.target().await.unwrap());
    let failing = crate::interrupted::FailingTarget {
        target,
        at: 2,
        is_applied: true,
        writes: std::sync::atomic::AtomicUsize::new(0),
    };
    copy_quietly(&*source, &failing).await.expect_err("it fails");
}

async fn an_unfinished_copy_is_not_served_and_only_its_source_can_finish_it<From: Endpoint, To: Endpoint>() {
    let (from, to) = (used::<From>().await, To::create().await);
    begin(&from, &to).await;
    let name = from.source().await.unwrap().name();
    let Err(error) = to.store().await else { panic!("half a copy is served") };
    assert!(error.contains("a copy that is not finished"), "{error}");
    assert!(error.contains(&format!("search4letters copy --from {name} --to ")), "{error}");

    let error = refusal(&used::<From>().await, &to).await;
    assert!(error.contains("holds a copy of another database") && error.contains(&name), "{error}");

    let served = from.store().await.unwrap();
    served.create_account(account("later"), &signed()).await.unwrap();
    served.close().await;
    let error = refusal(&from, &to).await;
    assert!(error.contains("has changed since its copy"), "{error}");
    assert!(to.store().await.is_err());
}

async fn a_complete_copy_is_not_repeated<From: Endpoint, To: Endpoint>() {
    let (from, to) = (used::<From>().await, To::create().await);
    copy_at_once(&from, &to).await;
    let (source, target) = (from.source().await.unwrap(), to.target().await.unwrap());
    assert!(matches!(copy_quietly(&*source, &*target).await.unwrap(), Copied::Already));
    drop((source, target));
    to.store().await.expect("it is served");
    let other = used::<From>().await;
    let error = refusal(&other, &to).await;
    assert!(error.contains("holds a copy of another database"), "{error}");
}

async fn a_row_that_changed_during_the_copy_is_named<From: Endpoint, To: Endpoint>() {
    for (statement, table, row) in [
        ("update log set phrase = 'Life' where id = 2", "log", "row 2 differs in phrase"),
        ("update job set payload = '{}'", "job", "differs in payload"),
        ("update account set role = 'viewer'", "account", "row 1 differs in role"),
        ("delete from log where id = 3", "log", "row 3 is not in the target"),
        ("update copy set up_to = '2'; delete from log where id = 2", "log", "the source has row 2"),
    ] {
        let (from, to) = (used::<From>().await, To::create().await);
        // All rows are copied. Only the last write, which opens the database to servers, is missing.
        let (source, target) = (from.source().await.unwrap(), to.target().await.unwrap());
        let failing = crate::interrupted::FailingTarget {
            target,
            at: 5,
            is_applied: false,
            writes: std::sync::atomic::AtomicUsize::new(0),
        };
        copy_quietly(&*source, &failing).await.expect_err("it fails");
        drop(failing);
        to.run(statement).await;
        let target = to.target().await.unwrap();
        let Copied::Verified(report) = copy_quietly(&*source, &*target).await.unwrap() else { panic!("unfinished") };
        assert!(!report.is_same());
        let difference = report.difference().unwrap();
        assert!(difference.contains(&format!("table {table} was not copied")), "{difference}");
        assert!(difference.contains(row), "{difference}");
        assert!(report.to_string().contains("target"), "{report}");
        drop(target);
        assert!(to.store().await.is_err(), "it is not served");
    }
}

#[tokio::test]
async fn the_source_file_is_not_changed_and_is_locked_during_the_copy() {
    let (from, to) = (used::<SqliteEndpoint>().await, SqliteEndpoint::create().await);
    let before = fs::read(from.file()).unwrap();
    let source = from.source().await.unwrap();
    let Err(error) = from.store().await else { panic!("two owners") };
    assert!(error.contains("is in use by"), "{error}");
    drop(source);
    copy_at_once(&from, &to).await;
    assert!(fs::read(from.file()).unwrap() == before, "it was changed");
}

#[tokio::test]
async fn the_write_ahead_log_of_a_killed_server_is_copied_too() {
    let (used, from, to) =
        (used::<SqliteEndpoint>().await, SqliteEndpoint::create().await, SqliteEndpoint::create().await);
    let store = used.store().await.unwrap();
    store.record(log_entry(search(77), "in the write-ahead log"), no_attempt()).await.unwrap();
    // The files as a killed process would leave them now.
    for ending in ["", "-wal"] {
        let beside = |endpoint: &SqliteEndpoint| format!("{}{ending}", endpoint.file().display());
        fs::copy(beside(&used), beside(&from)).unwrap();
    }
    let before = fs::read(from.file()).unwrap();
    assert!(!before.windows(11).any(|bytes| bytes == b"write-ahead"), "it is in the file already");
    copy_at_once(&from, &to).await;
    assert!(fs::read(from.file()).unwrap() == before, "it was changed");
    let copy = to.store().await.unwrap();
    assert!(copy.log_row_of_search(search(77)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_missing_source_is_not_created() {
    let from = SqliteEndpoint::create().await;
    let Err(error) = from.source().await else { panic!("there is nothing") };
    assert!(error.contains("there is nothing to copy"), "{error}");
    assert_eq!(fs::read_dir(from.folder()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_source_of_an_older_version_must_be_migrated_first() {
    let from = used::<SqliteEndpoint>().await;
    from.run("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)").await;
    let Err(error) = from.source().await else { panic!("it is older") };
    assert!(error.contains("run `search4letters migrate`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_a_server_uses_is_refused() {
    let to = PostgresEndpoint::create().await;
    let served = to.store().await.unwrap();
    served.ping().await.unwrap();
    let error = refusal(&used::<SqliteEndpoint>().await, &to).await;
    assert!(error.contains("is in use by a server"), "{error}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_into_the_same_database_do_not_mix() {
    let (from, to) = (used::<SqliteEndpoint>().await, PostgresEndpoint::create().await);
    begin(&from, &to).await;
    let (one, other) = (to.target().await.unwrap(), to.target().await.unwrap());
    let source = from.source().await.unwrap();
    assert!(matches!(copy_quietly(&*source, &*one).await.unwrap(), Copied::Verified(_)));
    assert!(matches!(copy_quietly(&*source, &*other).await.unwrap(), Copied::Already));
}
