//! How attempts end, and the resulting states of their jobs.

use std::collections::BTreeSet;
use std::time::Duration;

use api::{AttemptOutcome, JobId, JobState, LogSeq, SearchId, TimeMs};
use futures::future::try_join_all;
use store::{AttemptResult, ClaimedJob, FinishedAttempt, NewJob, Store, StoredJob};
use tests::builders::{LEASE, START, claim, finished, job, log_entry, log_job, retry, search, signed, worker};

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

/// Enough that they share commits, whatever the first of them does.
const TOGETHER: u128 = 40;

/// Accepts searches, and claims their jobs.
async fn searches_and_claimed(store: &dyn Store) -> Vec<(SearchId, ClaimedJob)> {
    let searches: Vec<SearchId> = (0..TOGETHER).map(search).collect();
    for &id in &searches {
        store.accept(id, log_job(id)).await.unwrap();
    }
    let claimed = store.claim(claim("w", u32::MAX, START)).await.unwrap();
    assert_eq!(claimed.len(), searches.len());
    searches.into_iter().zip(claimed).collect()
}

async fn record_each(store: &dyn Store, told: &[(SearchId, FinishedAttempt)]) -> Vec<LogSeq> {
    let records = told.iter().map(|(id, told)| store.record(log_entry(*id, "life"), told.clone()));
    try_join_all(records).await.unwrap()
}

pub(crate) async fn attempts_that_are_recorded_by_one_call_end_as_by_many(database: impl Database) {
    let store = database.store();
    let claimed = searches_and_claimed(&*store).await;
    let (some, rest) = claimed.split_at(20);
    let done = |(id, job): &(SearchId, ClaimedJob)| (*id, finished(job, "w", AttemptResult::Done, START));
    let record_all = |told: Vec<(SearchId, FinishedAttempt)>| {
        store.record_all(told.into_iter().map(|(id, told)| (log_entry(id, "life"), told)).collect())
    };
    let seqs = record_all(some.iter().map(done).collect()).await.unwrap();
    let rows = try_join_all(some.iter().map(|(id, _)| store.log_row_of_search(*id))).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.expect("there").seq).collect::<Vec<_>>(), seqs);
    // With one that was lost, the call may fail. All rows are written once, whatever has come of the first call.
    store.finish(vec![finished(&rest[3].1, "w", AttemptResult::Release, START)]).await.unwrap();
    let told: Vec<_> = rest.iter().map(done).collect();
    drop(record_all(told.clone()).await);
    record_each(&*store, &told).await;
    assert_eq!(shown(&*store, rest[3].1.id).await.state, JobState::Waiting);
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.running, counts.waiting, u128::from(counts.done)), (0, 1, TOGETHER - 1));
    let ledger = store.ledger().await.unwrap();
    assert_eq!((u128::from(ledger.accepted), u128::from(ledger.recorded), ledger.drift()), (TOGETHER, TOGETHER, 0));
}

pub(crate) async fn first_attempts_that_succeed_together_end_each_at_its_own_time(database: impl Database) {
    let store = database.store();
    let claimed = searches_and_claimed(&*store).await;
    assert!(store.cancel_job(claimed[7].1.id, START, Some(&signed())).await.unwrap());
    let end_of = |job: &ClaimedJob| START.after(Duration::from_millis(job.id.0.unsigned_abs()));
    let told: Vec<_> =
        claimed.iter().map(|(id, job)| (*id, finished(job, "w", AttemptResult::Done, end_of(job)))).collect();
    let seqs: BTreeSet<LogSeq> = record_each(&*store, &told).await.into_iter().collect();
    assert_eq!(seqs.len(), claimed.len());
    for (_, job) in &claimed {
        let end = Some(end_of(job));
        let shown = shown(&*store, job.id).await;
        assert_eq!((shown.state, shown.finished_at, shown.worker, shown.error), (JobState::Done, end, None, None));
        assert!(!shown.cancel_requested && shown.attempt == 1);
        let [attempt] = &store.attempts(job.id).await.unwrap()[..] else { panic!("one attempt") };
        assert_eq!((attempt.number, attempt.outcome, attempt.worker.as_str()), (1, AttemptOutcome::Done, "w"));
        assert_eq!((attempt.started_at, attempt.finished_at), (START, end));
    }
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.running, u128::from(counts.done)), (0, TOGETHER));
    let ledger = store.ledger().await.unwrap();
    assert_eq!((u128::from(ledger.recorded), ledger.drift()), (TOGETHER, 0));
}

pub(crate) async fn attempts_of_any_other_kind_end_among_first_ones(database: impl Database) {
    let store = database.store();
    let mut claimed = searches_and_claimed(&*store).await;
    // Each is claimed again: one after it was given back, one after a failure.
    let (released, failed) = (claimed.remove(0), claimed.remove(0));
    let ends = [(&released, AttemptResult::Release), (&failed, retry("once"))];
    for ((_, job), result) in ends {
        store.finish(vec![finished(job, "w", result, START)]).await.unwrap();
    }
    let later = START.after(Duration::from_secs(10));
    let again = store.claim(claim("w", 9, later)).await.unwrap();
    assert_eq!(
        again.iter().map(|job| (job.id, job.attempt)).collect::<Vec<_>>(),
        [(released.1.id, 1), (failed.1.id, 2)]
    );
    let done = |(id, job): &(SearchId, ClaimedJob)| (*id, finished(job, "w", AttemptResult::Done, later));
    let mut told: Vec<_> = claimed.iter().map(done).collect();
    told.extend([released.0, failed.0].into_iter().zip(&again).map(|(id, job)| done(&(id, job.clone()))));
    record_each(&*store, &told).await;
    use AttemptOutcome::{Done, Failed, Released};
    assert_eq!(outcomes(&*store, released.1.id).await, [(1, Released), (1, Done)]);
    assert_eq!(outcomes(&*store, failed.1.id).await, [(1, Failed), (2, Done)]);
    assert_eq!(u128::from(store.job_counts().await.unwrap().done), TOGETHER);
}

pub(crate) async fn a_lost_attempt_among_first_ones_changes_nothing(database: impl Database) {
    let store = database.store();
    let claimed = searches_and_claimed(&*store).await;
    let done = |(id, job): &(SearchId, ClaimedJob)| (*id, finished(job, "w", AttemptResult::Done, START));
    let mut told: Vec<_> = claimed.iter().map(done).collect();
    // One is another worker's, one was given back, and one is reported twice.
    told[11].1.worker = worker("stranger");
    store.finish(vec![finished(&claimed[23].1, "w", AttemptResult::Release, START)]).await.unwrap();
    told.push(told[31].clone());
    record_each(&*store, &told).await;
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.running, counts.waiting, u128::from(counts.done)), (1, 1, TOGETHER - 2));
    assert_eq!(shown(&*store, claimed[11].1.id).await.state, JobState::Running);
    assert_eq!(outcomes(&*store, claimed[23].1.id).await, [(1, AttemptOutcome::Released)]);
    assert_eq!(outcomes(&*store, claimed[31].1.id).await, [(1, AttemptOutcome::Done)]);
    // Every row is there, also those whose jobs do not know of it.
    let ledger = store.ledger().await.unwrap();
    assert_eq!((u128::from(ledger.accepted), u128::from(ledger.recorded), ledger.drift()), (TOGETHER, TOGETHER, 0));
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
