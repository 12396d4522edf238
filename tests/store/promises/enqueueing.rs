//! Jobs that are not a search's.

use std::time::Duration;

use api::{JobState, TimeMs};
use store::{Enqueued, NewJob};
use tests::builders::{START, job};

use crate::database::Database;

pub(crate) async fn a_key_is_unique_within_its_kind(database: impl Database) {
    let store = database.store();
    let keyed =
        |kind: &str, payload: &str| NewJob { key: Some("k".to_owned()), payload: payload.to_owned(), ..job(kind) };
    let Enqueued::New(first) = store.enqueue(keyed("a", "1")).await.unwrap() else { panic!("the first is new") };
    assert_eq!(store.enqueue(keyed("a", "2")).await.unwrap(), Enqueued::Exists(first));
    assert_eq!(store.job(first).await.unwrap().expect("there").payload, "1");
    assert!(matches!(store.enqueue(keyed("b", "1")).await.unwrap(), Enqueued::New(other) if other != first));
}

pub(crate) async fn jobs_without_a_key_are_all_new(database: impl Database) {
    let store = database.store();
    for _ in 0..3 {
        assert!(matches!(store.enqueue(job("a")).await.unwrap(), Enqueued::New(_)));
    }
    assert_eq!(store.job_counts().await.unwrap().waiting, 3);
}

pub(crate) async fn a_later_job_is_scheduled_and_the_next_due_is_the_earliest(database: impl Database) {
    let store = database.store();
    assert_eq!(store.next_due().await.unwrap(), None);
    let at = |seconds| -> TimeMs { START.after(Duration::from_secs(seconds)) };
    for seconds in [0, 20, 10] {
        store.enqueue(NewJob { run_at: at(seconds), ..job("a") }).await.unwrap();
    }
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.waiting, counts.scheduled), (1, 2));
    assert_eq!(store.next_due().await.unwrap(), Some(at(10)));
    let page = store.jobs(Default::default(), None, 10).await.unwrap();
    let states: Vec<JobState> = page.jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Scheduled, JobState::Scheduled, JobState::Waiting]);
}
