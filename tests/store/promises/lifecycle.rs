//! Workers that register, and the store itself: opened, closed and opened again.

use std::time::Duration;

use api::{FaultKind, TimeMs};
use futures::future::join_all;
use store::{Beat, PruningFailure, Store, StoreError, StoredWorker};
use tests::builders::{LEASE, START, claim, job, log_job, search, worker};

use crate::Database;

/// Removes no worker.
const NEVER: TimeMs = TimeMs(0);

fn beat(name: &str, at: TimeMs) -> Beat {
    Beat {
        worker: worker(name),
        host: format!("{name}.example"),
        pid: 4_000_000_000,
        version: "0.1.0".to_owned(),
        slots: 64,
        started_at: START,
        at,
        pruning: None,
    }
}

async fn names(store: &dyn Store) -> Vec<String> {
    store.workers().await.unwrap().into_iter().map(|known| known.beat.worker.0).collect()
}

fn seconds(count: u64) -> TimeMs {
    START.after(Duration::from_secs(count))
}

pub(crate) async fn workers_are_listed_with_what_they_run(database: impl Database) {
    let store = database.store();
    assert_eq!(store.workers().await.unwrap(), []);
    for name in ["w2", "w1", "w3"] {
        store.beat(beat(name, START), NEVER).await.unwrap();
    }
    for _ in 0..5 {
        store.enqueue(job("a")).await.unwrap();
    }
    store.claim(claim("w1", 3, START)).await.unwrap();
    store.claim(claim("w3", 1, START)).await.unwrap();
    store.claim(claim("unheard of", 1, START)).await.unwrap();
    let listed = |name: &str, running| StoredWorker { beat: beat(name, START), running };
    assert_eq!(store.workers().await.unwrap(), [listed("w1", 3), listed("w2", 0), listed("w3", 1)]);
    assert_eq!(store.expire_leases(START.after(LEASE * 2)).await.unwrap(), 5);
    assert_eq!(store.workers().await.unwrap(), ["w1", "w2", "w3"].map(|name| listed(name, 0)));
}

pub(crate) async fn the_last_heartbeat_counts(mut database: impl Database) {
    let store = database.store();
    store.beat(beat("w", START), NEVER).await.unwrap();
    let pruning = Some(PruningFailure { in_a_row: 2, kind: FaultKind::SqlError });
    let later = Beat { slots: 8, version: "0.2.0".to_owned(), pid: 7, pruning, ..beat("w", seconds(5)) };
    store.beat(later.clone(), NEVER).await.unwrap();
    let expected = [StoredWorker { beat: later, running: 0 }];
    assert_eq!(store.workers().await.unwrap(), expected);
    drop(store);
    database.reopen().await;
    assert_eq!(database.store().workers().await.unwrap(), expected);
}

pub(crate) async fn a_retired_worker_is_removed(database: impl Database) {
    let store = database.store();
    for name in ["w1", "w2"] {
        store.beat(beat(name, START), NEVER).await.unwrap();
    }
    store.retire(&worker("w1")).await.unwrap();
    assert_eq!(names(&*store).await, ["w2"]);
    store.retire(&worker("w1")).await.unwrap();
    store.retire(&worker("nobody")).await.unwrap();
    assert_eq!(names(&*store).await, ["w2"]);
}

pub(crate) async fn a_silent_worker_is_removed_unless_it_holds_a_job(database: impl Database) {
    let store = database.store();
    store.enqueue(job("a")).await.unwrap();
    store.claim(claim("holder", 1, START)).await.unwrap();
    let (in_time, too_late) = (seconds(5), TimeMs(seconds(5).0 - 1));
    for (name, at) in [("too late", too_late), ("holder", START), ("lively", seconds(9)), ("just in time", in_time)] {
        store.beat(beat(name, at), NEVER).await.unwrap();
    }
    store.beat(beat("late itself", seconds(1)), seconds(5)).await.unwrap();
    assert_eq!(names(&*store).await, ["holder", "just in time", "late itself", "lively"]);
    assert_eq!(store.expire_leases(START.after(LEASE * 2)).await.unwrap(), 1);
    // A worker that sends a heartbeat is kept, even if its time is before the limit.
    store.beat(beat("last", seconds(1)), TimeMs(i64::MAX)).await.unwrap();
    assert_eq!(names(&*store).await, ["last"]);
}

pub(crate) async fn the_secret_is_created_once<D: Database>(mut database: D) {
    let secret = database.store().secret().await.unwrap();
    assert_ne!(secret, [0; 32]);
    database.reopen().await;
    assert_eq!(database.store().secret().await.unwrap(), secret);
    assert_ne!(D::create().await.store().secret().await.unwrap(), secret);
}

pub(crate) async fn a_database_has_its_own_identity<D: Database>(mut database: D) {
    let identity = database.store().identity().to_owned();
    assert!(!identity.is_empty());
    database.reopen().await;
    assert_eq!(database.store().identity(), identity);
    assert_ne!(D::create().await.store().identity(), identity);
}

pub(crate) async fn a_store_answers_a_ping(database: impl Database) {
    database.store().ping().await.unwrap();
}

pub(crate) async fn a_closed_store_refuses_instead_of_waiting(database: impl Database) {
    let store = database.store();
    store.close().await;
    let write = tokio::time::timeout(Duration::from_secs(30), store.accept(search(1), log_job(search(1)))).await;
    let read = tokio::time::timeout(Duration::from_secs(30), store.job_counts()).await;
    assert!(matches!(write, Ok(Err(StoreError::Connection(_)))), "{write:?}");
    assert!(matches!(read, Ok(Err(StoreError::Connection(_)))), "{read:?}");
    store.close().await;
}

pub(crate) async fn writes_before_the_close_are_stored(mut database: impl Database) {
    let store = database.store();
    let calls = join_all((0..500).map(|number| {
        let store = database.store();
        async move { store.accept(search(number), log_job(search(number))).await }
    }));
    let (answers, ()) = tokio::join!(calls, store.close());
    let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(accepted > 0);
    drop(store);
    database.reopen().await;
    assert_eq!(database.store().job_counts().await.unwrap().waiting, accepted as u64);
}
