//! The lab's probe of the pool: every connection comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::FaultKind;
use store::{PoolProbe, ProbeStatement, ProbeUse, StoreError};
use tests::eventually;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::Database;

/// Longer than any test: connections are held until the task is stopped.
const FOREVER: Duration = Duration::from_secs(3600);

fn short() -> ProbeUse {
    ProbeUse { taken: Box::new(|| ()), statement: ProbeStatement::Valid, hold: Duration::ZERO }
}

/// Waits until no connection is in use, then checks that all of them can be taken.
async fn assert_all_returned(database: &impl Database, what: &str) {
    let store = database.store();
    eventually(what, async || (store.pool().in_use == 0).then_some(())).await;
    let max = store.pool().max;
    let held = hold_all(&database.pool_probe()).await;
    assert_eq!(store.pool().in_use, max, "{what}");
    drop(held);
    eventually(what, async || (store.pool().in_use == 0).then_some(())).await;
    store.ping().await.unwrap();
}

/// Keeps all connections until the set is dropped.
async fn hold_all(pool: &Arc<dyn PoolProbe>) -> JoinSet<Result<(), StoreError>> {
    let mut held = JoinSet::new();
    let mut taken = Vec::new();
    for _ in 0..pool.state().max {
        let (send, received) = oneshot::channel();
        let probe = ProbeUse { taken: Box::new(move || send.send(()).unwrap()), hold: FOREVER, ..short() };
        let pool = Arc::clone(pool);
        held.spawn(async move { pool.probe(probe).await });
        taken.push(received);
    }
    for received in taken {
        received.await.unwrap();
    }
    held
}

pub(crate) async fn a_connection_returns(database: impl Database) {
    let pool = database.pool_probe();
    let in_use = Arc::new(AtomicU32::new(0));
    for _ in 0..pool.state().max * 3 {
        let (in_use, store) = (Arc::clone(&in_use), database.store());
        let taken = Box::new(move || {
            in_use.fetch_add(store.pool().in_use, Ordering::SeqCst);
        });
        pool.probe(ProbeUse { taken, hold: Duration::from_millis(1), ..short() }).await.unwrap();
    }
    assert!(in_use.load(Ordering::SeqCst) >= pool.state().max * 3, "each was in use when `taken` was called");
    assert_all_returned(&database, "back after a use").await;
}

pub(crate) async fn a_connection_returns_after_a_statement_that_fails(database: impl Database) {
    let pool = database.pool_probe();
    for _ in 0..pool.state().max * 3 {
        let invalid = ProbeUse { statement: ProbeStatement::Invalid, hold: FOREVER, ..short() };
        let error = pool.probe(invalid).await.unwrap_err();
        assert_eq!(error.kind(), FaultKind::SqlError, "{error}");
    }
    assert_all_returned(&database, "back after a statement that failed").await;
}

pub(crate) async fn a_connection_returns_after_a_panic(database: impl Database) {
    let pool = database.pool_probe();
    for _ in 0..pool.state().max * 3 {
        let pool = Arc::clone(&pool);
        let panics = ProbeUse { taken: Box::new(|| std::panic::resume_unwind(Box::new("on purpose"))), ..short() };
        let ended = tokio::spawn(async move { pool.probe(panics).await }).await;
        assert!(ended.unwrap_err().is_panic());
    }
    assert_all_returned(&database, "back after a panic").await;
}

pub(crate) async fn a_connection_returns_from_an_aborted_task(database: impl Database) {
    let pool = database.pool_probe();
    for _ in 0..3 {
        let held = hold_all(&pool).await;
        assert_eq!(pool.state().in_use, pool.state().max);
        drop(held);
        eventually("back from stopped tasks", async || (pool.state().in_use == 0).then_some(())).await;
    }
    assert_all_returned(&database, "back from stopped tasks").await;
}

pub(crate) async fn a_probe_waits_for_a_connection_like_readers(database: impl Database) {
    let (store, pool) = (database.store(), database.pool_probe());
    let waits = store.pool().waits;
    let mut held = hold_all(&pool).await;
    let (refused, read) = tokio::join!(pool.probe(short()), store.job_counts());
    for error in [refused.unwrap_err(), read.unwrap_err()] {
        let max = store.pool().max;
        assert_eq!(error, StoreError::Connection(format!("all {max} connections were in use for 5s")));
    }
    assert!(store.pool().waits >= waits + 2);
    assert!(store.pool().longest_wait_ms >= 4_000);
    let waiting = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.probe(short()).await }
    });
    eventually("it waits", async || (store.pool().waiting == 1).then_some(())).await;
    held.abort_all();
    while held.join_next().await.is_some() {}
    waiting.await.unwrap().unwrap();
    assert_all_returned(&database, "back after a wait").await;
}
