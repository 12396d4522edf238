//! An accepted search is durable and accepted once; other jobs are enqueued.

use std::time::Duration;

use api::{JobId, JobState, TimeMs};
use futures::future::join_all;
use store::{Accepted, AttemptResult, Enqueued, NewJob, Store, StoreError};
use tests::builders::{START, claim, finished, job, log_entry, log_job, no_attempt, retry, search};

use crate::Database;

async fn accept(store: &dyn Store, number: u128) -> Accepted {
    store.accept(search(number), log_job(search(number))).await.unwrap()
}

fn new_job(accepted: &Accepted) -> JobId {
    match accepted {
        Accepted::New(id) => *id,
        other => panic!("{other:?} is not new"),
    }
}

pub(crate) async fn an_accepted_job_survives_a_reopening(mut database: impl Database) {
    let accepted = accept(&*database.store(), 1).await;
    database.reopen().await;
    let job = database.store().job(new_job(&accepted)).await.unwrap().expect("durable");
    assert_eq!((job.key, job.payload), (Some(search(1).to_string()), log_job(search(1)).payload));
    assert_eq!(database.store().job_counts().await.unwrap().waiting, 1);
}

pub(crate) async fn the_same_search_is_accepted_once(database: impl Database) {
    let store = database.store();
    let id = new_job(&accept(&*store, 1).await);
    let other = NewJob { payload: "another payload".to_owned(), ..log_job(search(1)) };
    let again = store.accept(search(1), other).await.unwrap();
    assert_eq!(again, Accepted::Queued { job: id, payload: log_job(search(1)).payload });
    assert_eq!(store.job_counts().await.unwrap().waiting, 1);
}

pub(crate) async fn the_same_search_twice_in_one_commit_is_accepted_once(database: impl Database) {
    let store = database.store();
    for round in 0..20 {
        let same = join_all((0..8).map(|_| accept(&*store, round))).await;
        let new: Vec<JobId> = same
            .iter()
            .filter_map(|accepted| if let Accepted::New(id) = accepted { Some(*id) } else { None })
            .collect();
        let [id] = new[..] else { panic!("not exactly one is new: {same:?}") };
        let queued = Accepted::Queued { job: id, payload: log_job(search(round)).payload };
        assert_eq!(same.iter().filter(|accepted| **accepted == queued).count(), 7);
    }
}

pub(crate) async fn a_search_whose_job_was_pruned_returns_its_log_row(database: impl Database) {
    let store = database.store();
    accept(&*store, 1).await;
    store.record(log_entry(search(1), "life"), no_attempt()).await.unwrap();
    let [job] = &store.claim(claim("w", 1, START)).await.unwrap()[..] else { panic!("one waits") };
    store.finish(vec![finished(job, "w", AttemptResult::Done, START)]).await.unwrap();
    assert!(matches!(accept(&*store, 1).await, Accepted::Queued { job: id, .. } if id == job.id));
    assert_eq!(store.prune_jobs(START.after(Duration::from_secs(1)), 10).await.unwrap(), 1);
    let row = store.log_row_of_search(search(1)).await.unwrap().expect("recorded");
    assert_eq!(accept(&*store, 1).await, Accepted::Recorded(Box::new(row)));
    assert_eq!(store.job_counts().await.unwrap(), api::JobCounts::default());
}

pub(crate) async fn concurrent_searches_are_all_accepted(database: impl Database) {
    let store = database.store();
    let accepted = join_all((0..3000).map(|number| accept(&*store, number))).await;
    let mut ids: Vec<JobId> = accepted.iter().map(new_job).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3000);
    for (number, accepted) in accepted.iter().enumerate().step_by(97) {
        let job = store.job(new_job(accepted)).await.unwrap().expect("accepted");
        assert_eq!(job.key, Some(search(number as u128).to_string()));
    }
    assert_eq!(store.job_counts().await.unwrap().waiting, 3000);
}

pub(crate) async fn a_cancelled_call_does_not_disturb_others(database: impl Database) {
    let store = database.store();
    let calls = (0..200).map(|number| {
        let store = database.store();
        async move {
            let patience = if number % 2 == 0 { Duration::ZERO } else { Duration::from_secs(60) };
            tokio::time::timeout(patience, accept(&*store, number)).await.ok()
        }
    });
    let answered = join_all(calls).await;
    assert!(answered.iter().skip(1).step_by(2).all(Option::is_some));
    // A cancelled call may or may not have been committed. Repeating it settles that.
    for number in 0..200 {
        accept(&*store, number).await;
    }
    assert_eq!(store.job_counts().await.unwrap().waiting, 200);
}

pub(crate) async fn a_bad_command_fails_alone(database: impl Database) {
    let store = database.store();
    // A session without an account fails, in the same commit as the others.
    let (bad, good) = tokio::join!(
        join_all((0..20).map(|byte| store.add_session(tests::builders::session(byte, "nobody")))),
        join_all((0..200).map(|number| accept(&*store, number))),
    );
    assert!(bad.iter().all(|outcome| matches!(outcome, Err(StoreError::Sql(_)))), "{bad:?}");
    assert!(good.iter().all(|accepted| matches!(accepted, Accepted::New(_))));
    let (counts, page) = (store.job_counts().await.unwrap(), store.jobs(Default::default(), None, 1000).await.unwrap());
    assert_eq!((counts.waiting, page.jobs.len()), (200, 200));
}

pub(crate) async fn payloads_and_errors_are_read_back_exactly(database: impl Database) {
    let store = database.store();
    for (number, text) in super::log::HOSTILE.iter().enumerate() {
        let number = number as u128;
        let payload = text.replace('\0', "\\u0000");
        let job = NewJob { payload: payload.clone(), ..log_job(search(number)) };
        let id = new_job(&store.accept(search(number), job).await.unwrap());
        let [claimed] = &store.claim(claim("w", 1, START)).await.unwrap()[..] else { panic!("one waits") };
        assert_eq!((claimed.id, &claimed.payload), (id, &payload));
        store.finish(vec![finished(claimed, "w", retry(text), START)]).await.unwrap();
        let job = store.job(id).await.unwrap().expect("there");
        assert_eq!((&job.payload, job.error.as_deref()), (&payload, Some(*text)));
        assert_eq!(store.attempts(id).await.unwrap()[0].error.as_deref(), Some(*text));
    }
}

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
