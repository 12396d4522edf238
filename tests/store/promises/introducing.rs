//! Kinds that are made known before their first job.

use std::time::Duration;

use store::{Queue, Topic};
use tests::builders::{START, claim, job};

use crate::database::Database;

pub(crate) async fn a_kind_is_introduced_once(mut database: impl Database) {
    let store = database.store();
    let limits = async |store: &dyn Queue| -> Vec<(String, Option<u32>)> {
        store.kinds().await.unwrap().into_iter().map(|kind| (kind.kind, kind.limit)).collect()
    };
    let named =
        |kinds: &[(&str, Option<u32>)]| kinds.iter().map(|&(kind, limit)| (kind.to_owned(), limit)).collect::<Vec<_>>();
    let mut jobs = store.subscribe(Topic::Jobs);
    store.register_kind("lab", Some(1)).await.unwrap();
    tokio::time::timeout(Duration::ZERO, jobs.changed()).await.expect("there is one kind more");
    assert_eq!(limits(&*store).await, named(&[("lab", Some(1))]));
    // The limit holds from the first job on.
    for _ in 0..3 {
        store.enqueue(job("lab")).await.unwrap();
    }
    assert_eq!(store.claim(claim("w", 9, START)).await.unwrap().len(), 1);
    assert!(store.limit_kind("lab", Some(2)).await.unwrap());
    assert!(store.pause_kind("lab", true).await.unwrap());
    drop(store);
    database.reopen().await;
    let store = database.store();
    store.register_kind("lab", Some(1)).await.unwrap();
    store.register_kind("lab", None).await.unwrap();
    assert_eq!(limits(&*store).await, named(&[("lab", Some(2))]));
    assert!(store.kinds().await.unwrap()[0].paused);
    // One that its jobs have made known has no limit, and keeps none.
    store.enqueue(job("probe")).await.unwrap();
    store.register_kind("probe", Some(1)).await.unwrap();
    assert_eq!(limits(&*store).await, named(&[("lab", Some(2)), ("probe", None)]));
}
