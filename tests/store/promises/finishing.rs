//! How attempts end, and the resulting states of their jobs.

use std::time::Duration;

use api::{AttemptOutcome, JobId, JobState, TimeMs};
use store::{AttemptResult, ClaimedJob, NewJob, Store, StoredJob};
use tests::builders::{LEASE, START, claim, finished, job, retry};

use crate::Database;

async fn claim_one(store: &dyn Store, now: TimeMs) -> ClaimedJob {
    let mut claimed = store.claim(claim("w", 1, now)).await.unwrap();
    claimed.pop().expect("a job waits")
}

async fn enqueue_and_claim(store: &dyn Store) -> ClaimedJob {
    store.enqueue(job("a")).await.unwrap();
    claim_one(store, START).await
}

async fn shown(store: &dyn Store, id: JobId) -> StoredJob {
    store.job(id).await.unwrap().expect("there")
}

async fn outcomes(store: &dyn Store, id: JobId) -> Vec<(u32, AttemptOutcome)> {
    let attempts = store.attempts(id).await.unwrap();
    attempts.into_iter().map(|attempt| (attempt.number, attempt.outcome)).collect()
}

pub(crate) async fn a_done_job_stays_done(mut database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let end = START.after(Duration::from_millis(40));
    assert_eq!(store.finish(vec![finished(&claimed, "w", AttemptResult::Done, end)]).await.unwrap(), 1);
    drop(store);
    database.reopen().await;
    let store = database.store();
    let job = shown(&*store, claimed.id).await;
    assert_eq!((job.state, job.finished_at, job.worker, job.error), (JobState::Done, Some(end), None, None));
    let [attempt] = &store.attempts(claimed.id).await.unwrap()[..] else { panic!("one attempt") };
    assert_eq!((attempt.outcome, attempt.worker.as_str()), (AttemptOutcome::Done, "w"));
    assert_eq!((attempt.started_at, attempt.finished_at), (START, Some(end)));
    assert_eq!(store.claim(claim("w", 1, end.after(LEASE * 9))).await.unwrap(), []);
}

pub(crate) async fn a_failed_job_retries_and_is_dead_after_its_last_attempt(database: impl Database) {
    let store = database.store();
    let mut now = START;
    let id = enqueue_and_claim(&*store).await.id;
    for attempt in 1..=3 {
        let claimed = if attempt == 1 {
            ClaimedJob { id, kind: String::new(), payload: String::new(), attempt, max_attempts: 3 }
        } else {
            claim_one(&*store, now).await
        };
        let error = format!("failure {attempt}");
        assert_eq!(store.finish(vec![finished(&claimed, "w", retry(&error), now)]).await.unwrap(), 1);
        let job = shown(&*store, id).await;
        assert_eq!((job.attempt, job.error), (attempt, Some(error)));
        if attempt < 3 {
            now = now.after(Duration::from_secs(10));
            assert_eq!((job.state, job.run_at, job.finished_at), (JobState::Retrying, now, None));
        } else {
            assert_eq!((job.state, job.finished_at), (JobState::Dead, Some(now)));
        }
    }
    use AttemptOutcome::{Dead, Failed};
    assert_eq!(outcomes(&*store, id).await, [(1, Failed), (2, Failed), (3, Dead)]);
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub(crate) async fn a_dead_verdict_ends_the_job_at_once(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let dead = AttemptResult::Dead { error: "cannot be read".to_owned() };
    store.finish(vec![finished(&claimed, "w", dead, START)]).await.unwrap();
    let job = shown(&*store, claimed.id).await;
    assert_eq!((job.state, job.error.as_deref()), (JobState::Dead, Some("cannot be read")));
    assert_eq!(outcomes(&*store, claimed.id).await, [(1, AttemptOutcome::Dead)]);
}

pub(crate) async fn a_released_job_waits_again_and_the_attempt_is_not_counted(database: impl Database) {
    let store = database.store();
    store.enqueue(NewJob { max_attempts: 1, ..job("a") }).await.unwrap();
    for _ in 0..3 {
        let claimed = claim_one(&*store, START).await;
        assert_eq!(claimed.attempt, 1);
        store.finish(vec![finished(&claimed, "w", AttemptResult::Release, START)]).await.unwrap();
    }
    let claimed = claim_one(&*store, START).await;
    store.finish(vec![finished(&claimed, "w", AttemptResult::Done, START)]).await.unwrap();
    use AttemptOutcome::{Done, Released};
    assert_eq!(outcomes(&*store, claimed.id).await, [(1, Released), (1, Released), (1, Released), (1, Done)]);
}

pub(crate) async fn a_worker_that_lost_an_attempt_changes_nothing(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let stranger = finished(&claimed, "stranger", AttemptResult::Done, START);
    let earlier = finished(&ClaimedJob { attempt: 0, ..claimed.clone() }, "w", AttemptResult::Done, START);
    let nobodys = finished(&ClaimedJob { id: JobId(999), ..claimed.clone() }, "w", AttemptResult::Done, START);
    let mine = finished(&claimed, "w", AttemptResult::Done, START);
    assert_eq!(store.finish(vec![stranger.clone(), earlier, nobodys]).await.unwrap(), 0);
    assert_eq!(shown(&*store, claimed.id).await.state, JobState::Running);
    assert_eq!(store.finish(vec![stranger, mine.clone()]).await.unwrap(), 1);
    assert_eq!(store.finish(vec![mine]).await.unwrap(), 0);
    assert_eq!(outcomes(&*store, claimed.id).await, [(1, AttemptOutcome::Done)]);
}

pub(crate) async fn a_result_reported_twice_is_stored_once(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let told = finished(&claimed, "w", AttemptResult::Done, START);
    let other = finished(&claimed, "w", retry("or not"), START);
    let (first, second) =
        tokio::join!(store.finish(vec![told.clone(), other.clone()]), store.finish(vec![told, other]));
    assert_eq!(first.unwrap() + second.unwrap(), 1);
    assert_eq!(outcomes(&*store, claimed.id).await, [(1, AttemptOutcome::Done)]);
    assert_eq!(store.job_counts().await.unwrap().done, 1);
}

pub(crate) async fn an_expired_lease_is_a_lost_attempt(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    assert_eq!(store.expire_leases(START.after(LEASE)).await.unwrap(), 0);
    let later = START.after(LEASE + Duration::from_millis(1));
    assert_eq!(store.expire_leases(later).await.unwrap(), 1);
    let job = shown(&*store, claimed.id).await;
    assert_eq!((job.state, job.run_at, job.attempt), (JobState::Waiting, later, 1));
    let [attempt] = &store.attempts(claimed.id).await.unwrap()[..] else { panic!("one attempt") };
    assert_eq!((attempt.outcome, attempt.finished_at), (AttemptOutcome::Lost, Some(later)));
    assert!(attempt.error.as_deref().is_some_and(|error| error.contains("lease")), "{attempt:?}");
    assert_eq!(store.finish(vec![finished(&claimed, "w", AttemptResult::Done, later)]).await.unwrap(), 0);
    assert_eq!(claim_one(&*store, later).await.attempt, 2);
}

pub(crate) async fn the_last_lost_attempt_makes_the_job_dead(database: impl Database) {
    let store = database.store();
    store.enqueue(NewJob { max_attempts: 1, ..job("a") }).await.unwrap();
    let claimed = claim_one(&*store, START).await;
    let later = START.after(LEASE * 2);
    assert_eq!(store.expire_leases(later).await.unwrap(), 1);
    let job = shown(&*store, claimed.id).await;
    assert_eq!((job.state, job.finished_at), (JobState::Dead, Some(later)));
    assert_eq!(outcomes(&*store, claimed.id).await, [(1, AttemptOutcome::Lost)]);
}

pub(crate) async fn jobs_of_a_dead_process_are_rescued_before_their_lease_ends(mut database: impl Database) {
    let store = database.store();
    for _ in 0..3 {
        enqueue_and_claim(&*store).await;
    }
    drop(store);
    database.reopen().await;
    let store = database.store();
    assert_eq!(store.rescue_orphans(START, START.after(LEASE)).await.unwrap(), 3);
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.running, counts.waiting), (0, 3));
    let again = claim_one(&*store, START).await;
    assert_eq!(outcomes(&*store, again.id).await, [(1, AttemptOutcome::Lost), (2, AttemptOutcome::Running)]);
    let lost = &store.attempts(again.id).await.unwrap()[0];
    assert!(lost.error.as_deref().is_some_and(|error| error.contains("stopped")), "{lost:?}");
}

pub(crate) async fn dying_processes_do_not_use_up_the_attempts_of_a_job(database: impl Database) {
    let store = database.store();
    store.enqueue(NewJob { max_attempts: 1, ..job("a") }).await.unwrap();
    for attempt in 1..=30 {
        assert_eq!(claim_one(&*store, START).await.attempt, attempt);
        assert_eq!(store.rescue_orphans(START, START).await.unwrap(), 1);
    }
    let last = claim_one(&*store, START).await;
    store.finish(vec![finished(&last, "w", retry("its own fault"), START)]).await.unwrap();
    assert_eq!(shown(&*store, last.id).await.state, JobState::Dead, "its own failure is still counted");
}

pub(crate) async fn a_schedule_of_a_wrong_clock_is_limited(database: impl Database) {
    let store = database.store();
    let decade = Duration::from_secs(315_360_000);
    let near = START.after(Duration::from_secs(5));
    store.enqueue(NewJob { run_at: START.after(decade), ..job("far") }).await.unwrap();
    store.enqueue(NewJob { run_at: near, ..job("near") }).await.unwrap();
    let latest = START.after(Duration::from_secs(60));
    assert_eq!(store.rescue_orphans(START, latest).await.unwrap(), 0);
    assert_eq!(store.next_due().await.unwrap(), Some(near));
    assert_eq!(store.claim(claim("w", 9, near)).await.unwrap().len(), 1);
    assert_eq!(store.next_due().await.unwrap(), Some(latest));
}
