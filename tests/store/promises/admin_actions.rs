//! What an administrator can do to a job.

use std::time::Duration;

use api::{Attempt, AttemptOutcome, JobId, JobState, TimeMs};
use store::{AttemptResult, ClaimedJob, Enqueued, NewJob, Store};
use tests::builders::{LEASE, START, claim, finished, job, retry, signed, worker};

use crate::Database;

async fn enqueue_and_claim(store: &dyn Store) -> ClaimedJob {
    store.enqueue(job("a")).await.unwrap();
    store.claim(claim("w", 1, START)).await.unwrap().pop().expect("a job waits")
}

async fn state(store: &dyn Store, id: JobId) -> JobState {
    store.job(id).await.unwrap().expect("there").state
}

async fn last_outcome(store: &dyn Store, id: JobId) -> AttemptOutcome {
    store.attempts(id).await.unwrap().pop().expect("an attempt was made").outcome
}

pub(crate) async fn a_waiting_job_is_cancelled_at_once(database: impl Database) {
    let store = database.store();
    let run_at = START.after(Duration::from_secs(9));
    for new in [job("waiting"), NewJob { run_at, ..job("scheduled") }] {
        let Enqueued::New(id) = store.enqueue(new).await.unwrap() else { panic!("it is new") };
        assert!(store.cancel_job(id, START, Some(&signed())).await.unwrap());
        let cancelled = store.job(id).await.unwrap().expect("there");
        assert_eq!((cancelled.state, cancelled.finished_at), (JobState::Cancelled, Some(START)));
    }
    assert_eq!(store.claim(claim("w", 9, run_at)).await.unwrap(), []);
}

pub(crate) async fn a_running_job_is_marked_for_cancellation(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    assert_eq!(store.cancellations(&worker("w")).await.unwrap(), []);
    assert!(store.cancel_job(claimed.id, START, Some(&signed())).await.unwrap());
    assert!(store.job(claimed.id).await.unwrap().expect("there").cancel_requested);
    assert_eq!(store.cancellations(&worker("w")).await.unwrap(), [claimed.id]);
    assert_eq!(store.cancellations(&worker("other")).await.unwrap(), []);
    store.finish(vec![finished(&claimed, "w", AttemptResult::Cancelled, START)]).await.unwrap();
    assert_eq!(state(&*store, claimed.id).await, JobState::Cancelled);
    assert_eq!(last_outcome(&*store, claimed.id).await, AttemptOutcome::Cancelled);
    assert_eq!(store.cancellations(&worker("w")).await.unwrap(), []);
}

pub(crate) async fn a_job_marked_for_cancellation_does_not_run_again(database: impl Database) {
    let store = database.store();
    for finish in [Some(retry("failed")), Some(AttemptResult::Release), None] {
        let claimed = enqueue_and_claim(&*store).await;
        assert!(store.cancel_job(claimed.id, START, Some(&signed())).await.unwrap());
        match finish {
            Some(finish) => store.finish(vec![finished(&claimed, "w", finish, START)]).await.unwrap(),
            None => store.expire_leases(START.after(LEASE * 2)).await.unwrap(),
        };
        assert_eq!(state(&*store, claimed.id).await, JobState::Cancelled);
    }
    assert_eq!(store.claim(claim("w", 9, START.after(LEASE * 9))).await.unwrap(), []);
}

pub(crate) async fn a_job_marked_for_cancellation_that_is_done_stays_done(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    assert!(store.cancel_job(claimed.id, START, Some(&signed())).await.unwrap());
    store.finish(vec![finished(&claimed, "w", AttemptResult::Done, START)]).await.unwrap();
    assert_eq!(state(&*store, claimed.id).await, JobState::Done);
}

pub(crate) async fn a_dead_job_that_is_retried_gets_one_more_attempt(database: impl Database) {
    let store = database.store();
    store.enqueue(NewJob { max_attempts: 1, ..job("a") }).await.unwrap();
    let claimed = store.claim(claim("w", 1, START)).await.unwrap().pop().expect("a job waits");
    store.finish(vec![finished(&claimed, "w", retry("failed"), START)]).await.unwrap();
    assert_eq!(state(&*store, claimed.id).await, JobState::Dead);
    let later = START.after(Duration::from_secs(1));
    assert!(store.retry_job(claimed.id, later, &signed()).await.unwrap());
    let retried = store.job(claimed.id).await.unwrap().expect("there");
    assert_eq!((retried.state, retried.run_at, retried.max_attempts), (JobState::Waiting, later, 2));
    assert_eq!((retried.error, retried.finished_at, retried.cancel_requested), (None, None, false));
    let again = store.claim(claim("w", 1, later)).await.unwrap().pop().expect("it waits");
    assert_eq!((again.id, again.attempt, again.max_attempts), (claimed.id, 2, 2));
}

pub(crate) async fn a_done_job_that_is_retried_keeps_the_attempt_that_has_done_it(database: impl Database) {
    let store = database.store();
    let mut ended = Vec::new();
    let Enqueued::New(id) = store.enqueue(job("a")).await.unwrap() else { panic!("it has no key") };
    for round in 1..=3 {
        let now = START.after(Duration::from_secs(round));
        let name = format!("w{round}");
        let claimed = store.claim(claim(&name, 1, now)).await.unwrap().pop().expect("it waits");
        // An attempt that is given back has the number of the next one.
        store.finish(vec![finished(&claimed, &name, AttemptResult::Release, now)]).await.unwrap();
        ended.push((claimed.attempt, name.clone(), now, now, AttemptOutcome::Released));
        let (began, end) = (now.after(Duration::from_millis(100)), now.after(Duration::from_millis(200)));
        let claimed = store.claim(claim(&name, 1, began)).await.unwrap().pop().expect("it waits again");
        store.finish(vec![finished(&claimed, &name, AttemptResult::Done, end)]).await.unwrap();
        ended.push((claimed.attempt, name, began, end, AttemptOutcome::Done));
        assert_eq!(attempts(&*store, id).await, ended, "it is done");
        assert!(store.retry_job(id, end, &signed()).await.unwrap());
        assert_eq!(attempts(&*store, id).await, ended, "it waits");
    }
    assert!(store.cancel_job(id, START, Some(&signed())).await.unwrap());
    assert!(store.retry_job(id, START, &signed()).await.unwrap());
    assert_eq!(attempts(&*store, id).await, ended, "a job without an attempt since is retried");
}

async fn attempts(store: &dyn Store, id: JobId) -> Vec<(u32, String, TimeMs, TimeMs, AttemptOutcome)> {
    let attempts = store.attempts(id).await.unwrap().into_iter();
    let of = |it: Attempt| (it.number, it.worker, it.started_at, it.finished_at.expect("it has ended"), it.outcome);
    attempts.map(of).collect()
}

pub(crate) async fn actions_in_the_wrong_state_are_refused(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    assert!(!store.retry_job(claimed.id, START, &signed()).await.unwrap(), "it is running");
    store.finish(vec![finished(&claimed, "w", AttemptResult::Done, START)]).await.unwrap();
    assert!(!store.cancel_job(claimed.id, START, Some(&signed())).await.unwrap(), "it is done");
    assert!(store.retry_job(claimed.id, START, &signed()).await.unwrap(), "a done job may run once more");
    assert!(!store.retry_job(claimed.id, START, &signed()).await.unwrap(), "it waits already");
    for missing in [JobId(0), JobId(999), JobId(i64::MAX)] {
        assert!(!store.retry_job(missing, START, &signed()).await.unwrap());
        assert!(!store.cancel_job(missing, START, Some(&signed())).await.unwrap());
    }
}
