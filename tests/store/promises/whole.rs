//! The store as a whole.

use std::time::Duration;

use futures::future::join_all;
use store::StoreError;
use tests::builders::{log_job, search};

use crate::database::Database;

pub(crate) async fn the_secret_is_made_once<D: Database>(mut database: D) {
    let secret = database.store().secret().await.unwrap();
    assert_ne!(secret, [0; 32]);
    database.reopen().await;
    assert_eq!(database.store().secret().await.unwrap(), secret);
    assert_ne!(D::create().await.store().secret().await.unwrap(), secret);
}

pub(crate) async fn a_store_answers_a_ping(database: impl Database) {
    database.store().ping().await.unwrap();
}

pub(crate) async fn a_closed_store_refuses_instead_of_waiting(database: impl Database) {
    let store = database.store();
    store.close().await;
    let write = tokio::time::timeout(Duration::from_secs(10), store.accept(search(1), log_job(search(1)))).await;
    let read = tokio::time::timeout(Duration::from_secs(10), store.job_counts()).await;
    assert!(matches!(write, Ok(Err(StoreError::Connection(_)))), "{write:?}");
    assert!(matches!(read, Ok(Err(StoreError::Connection(_)))), "{read:?}");
    store.close().await;
}

pub(crate) async fn what_was_handed_in_before_the_close_is_written(mut database: impl Database) {
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
