//! The lab's probe of the pool: every connection comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::FaultKind;
use store::{Exercise, Store, StoreError};
use tests::eventually;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::Database;

/// Longer than any test: who keeps a connection for so long keeps it until it is stopped.
const FOR_EVER: Duration = Duration::from_secs(3600);

fn short() -> Exercise {
    Exercise { taken: Box::new(|| ()), hold: Duration::ZERO, is_broken: false }
}

/// Waits until nobody has a connection any more, and sees that all of them can be had.
async fn all_are_back(database: &impl Database, what: &str) {
    let store = database.store();
    eventually(what, async || (store.pool().in_use == 0).then_some(())).await;
    let max = store.pool().max;
    let held = hold_all(&store).await;
    assert_eq!(store.pool().in_use, max, "{what}");
    drop(held);
    eventually(what, async || (store.pool().in_use == 0).then_some(())).await;
    store.ping().await.unwrap();
}

/// Keeps all connections until the set is dropped.
async fn hold_all(store: &Arc<dyn Store>) -> JoinSet<Result<(), StoreError>> {
    let mut held = JoinSet::new();
    let mut taken = Vec::new();
    for _ in 0..store.pool().max {
        let (tell, told) = oneshot::channel();
        let exercise = Exercise { taken: Box::new(move || tell.send(()).unwrap()), hold: FOR_EVER, is_broken: false };
        let store = Arc::clone(store);
        held.spawn(async move { store.exercise(exercise).await });
        taken.push(told);
    }
    for told in taken {
        told.await.unwrap();
    }
    held
}

pub(crate) async fn a_connection_comes_back(database: impl Database) {
    let store = database.store();
    let taken = Arc::new(AtomicU32::new(0));
    for _ in 0..store.pool().max * 3 {
        let (seen, beside) = (Arc::clone(&taken), database.store());
        let taken = Box::new(move || {
            seen.fetch_add(beside.pool().in_use, Ordering::SeqCst);
        });
        store.exercise(Exercise { taken, hold: Duration::from_millis(1), is_broken: false }).await.unwrap();
    }
    assert!(taken.load(Ordering::SeqCst) >= store.pool().max * 3, "each was in use when it was told so");
    all_are_back(&database, "back after an exercise").await;
}

pub(crate) async fn a_connection_comes_back_after_a_statement_that_fails(database: impl Database) {
    let store = database.store();
    for _ in 0..store.pool().max * 3 {
        let error = store.exercise(Exercise { is_broken: true, hold: FOR_EVER, ..short() }).await.unwrap_err();
        assert_eq!(error.kind(), FaultKind::SqlError, "{error}");
    }
    all_are_back(&database, "back after a statement that failed").await;
}

pub(crate) async fn a_connection_comes_back_after_a_panic(database: impl Database) {
    let store = database.store();
    for _ in 0..store.pool().max * 3 {
        let store = Arc::clone(&store);
        let panics = Exercise { taken: Box::new(|| std::panic::resume_unwind(Box::new("as told"))), ..short() };
        let ended = tokio::spawn(async move { store.exercise(panics).await }).await;
        assert!(ended.unwrap_err().is_panic());
    }
    all_are_back(&database, "back after a panic").await;
}

pub(crate) async fn a_connection_comes_back_from_who_is_stopped(database: impl Database) {
    let store = database.store();
    for _ in 0..3 {
        let held = hold_all(&store).await;
        assert_eq!(store.pool().in_use, store.pool().max);
        drop(held);
        eventually("back from who was stopped", async || (store.pool().in_use == 0).then_some(())).await;
    }
    all_are_back(&database, "back from who was stopped").await;
}

pub(crate) async fn an_exercise_waits_for_a_connection_as_everybody_does(database: impl Database) {
    let store = database.store();
    let waits = store.pool().waits;
    let mut held = hold_all(&store).await;
    let (refused, read) = tokio::join!(store.exercise(short()), store.job_counts());
    for error in [refused.unwrap_err(), read.unwrap_err()] {
        let max = store.pool().max;
        assert_eq!(error, StoreError::Connection(format!("all {max} connections were in use for 5s")));
    }
    assert!(store.pool().waits >= waits + 2);
    assert!(store.pool().longest_wait_ms >= 4_000);
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.exercise(short()).await }
    });
    eventually("it waits", async || (store.pool().waiting == 1).then_some(())).await;
    held.abort_all();
    while held.join_next().await.is_some() {}
    waiting.await.unwrap().unwrap();
    all_are_back(&database, "back after a wait").await;
}
