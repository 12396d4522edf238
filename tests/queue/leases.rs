//! Leases: kept while jobs run, lost when their workers die.

use std::sync::Arc;
use std::time::Duration;

use api::{AttemptOutcome, JobState};
use store::{AttemptResult, Claim, Clock, NewJob};
use tests::builders::{START, claim, finished};

use crate::harness::AdjustableClock;
use crate::harness::{Act, DatabaseUnderTest, LEASE, QueueHarness};
use crate::store_failures::Interceptor;

pub async fn a_long_job_keeps_its_lease(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::WaitAtGate]).await;
    harness.reaches(id, JobState::Running).await;
    for _ in 0..9 {
        harness.clock.task_sleeps_until(harness.clock.steady().after(LEASE / 3)).await;
        harness.clock.advance(LEASE / 3);
    }
    // The lease was renewed until now, so no other worker may take the job over.
    harness.clock.task_sleeps_until(harness.clock.steady().after(LEASE / 3)).await;
    assert_eq!(harness.store.expire_leases(harness.clock.steady()).await.expect("stored"), 0);
    harness.open_gate();
    let job = harness.reaches(id, JobState::Done).await;
    assert_eq!(job.attempt, 1);
    harness.stop_worker(worker).await;
}

pub async fn a_lease_is_renewed_in_time_however_long_its_claim_took(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let queue = Arc::new(Interceptor::before(harness.store.clone()));
    queue.hold_claims();
    let id = harness.add(&[Act::WaitAtGate]).await;
    let worker = harness.start_worker_on(queue.clone(), 4);
    harness.reaches(id, JobState::Running).await;
    harness.clock.advance(LEASE / 3 * 2);
    queue.let_claims_through();
    // The renewal was due before the claim returned; the next one is due a third of a lease later.
    harness.clock.task_sleeps_until(START.after(LEASE)).await;
    let end_of_first_lease = START.after(LEASE + Duration::from_millis(1));
    assert_eq!(harness.store.expire_leases(end_of_first_lease).await.expect("stored"), 0);
    harness.open_gate();
    harness.reaches(id, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn the_jobs_of_a_dead_worker_are_taken_over_when_its_lease_ends(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let id = harness.add(&[Act::Hang, Act::Succeed]).await;
    let now = harness.clock.steady();
    let theirs = harness.store.claim(claim("gone", 1, now)).await.expect("claimed");
    assert_eq!(theirs[0].id, id);
    // A running job makes this worker renew leases, and each renewal also expires the leases of others.
    let worker = harness.start_worker(4);
    let ours = harness.add(&[Act::WaitAtGate]).await;
    harness.reaches(ours, JobState::Running).await;
    for _ in 0..4 {
        assert_eq!(harness.job(id).await.state, JobState::Running, "not before its lease ends");
        harness.clock.task_sleeps_until(harness.clock.steady().after(LEASE / 3)).await;
        harness.clock.advance(LEASE / 3);
    }
    harness.reaches(id, JobState::Done).await;
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    let late =
        finished(&theirs[0], "gone", AttemptResult::Dead { error: "too late".to_owned() }, harness.clock.steady());
    assert_eq!(harness.store.finish(vec![late]).await.expect("stored"), 0, "a late result is refused");
    assert_eq!(harness.job(id).await.state, JobState::Done);
    harness.open_gate();
    harness.stop_worker(worker).await;
}

pub async fn an_idle_worker_takes_over_the_jobs_of_a_dead_one(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let id = harness.add(&[Act::Hang, Act::Succeed]).await;
    assert_eq!(harness.store.claim(claim("gone", 1, START)).await.expect("claimed").len(), 1);
    let worker = harness.start_worker_beside_others(harness.clock.clone(), 4);
    for looks in 1..=4 {
        assert_eq!(harness.job(id).await.state, JobState::Running, "not before its lease ends");
        harness.clock.task_sleeps_until(START.after(LEASE / 3 * looks)).await;
        harness.clock.advance(LEASE / 3);
    }
    harness.reaches(id, JobState::Done).await;
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    harness.stop_worker(worker).await;
}

pub async fn a_worker_whose_clock_is_set_back_still_takes_jobs_over_in_time(database: DatabaseUnderTest) {
    const HOUR: Duration = Duration::from_secs(3_600);
    let harness = QueueHarness::new(database).await;
    // Due only for the dead worker, whose claim has a later time.
    let job = NewJob { run_at: START.after(2 * HOUR), ..harness.script(&[Act::Hang, Act::Succeed]) };
    let id = harness.enqueue(job).await;
    let clock = Arc::new(AdjustableClock::of(harness.clock.clone()));
    let worker = harness.start_worker_beside_others(clock.clone(), 4);
    harness.clock.task_sleeps_until(START.after(LEASE / 3)).await;
    clock.set_back(HOUR);
    let now = clock.steady();
    let theirs = Claim { now: START.after(3 * HOUR), ..claim("gone", 1, now) };
    assert_eq!(harness.store.claim(theirs).await.expect("claimed").len(), 1);
    tokio::select! {
        _ = harness.reaches(id, JobState::Done) => {}
        never = harness.time_passes() => match never {},
    }
    // Measured by the wall clock, which was not set back.
    let taken_over_at = harness.attempts(id).await[1].started_at;
    assert!(taken_over_at < START.after(2 * LEASE), "{} ms after the claim", taken_over_at.since(START));
    harness.stop_worker(worker).await;
}

pub async fn an_attempt_whose_lease_was_lost_is_stopped_and_its_outcome_refused(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::WaitAtGate, Act::Succeed]).await;
    harness.reaches(id, JobState::Running).await;
    // Another process considers the lease expired.
    harness.store.expire_leases(harness.clock.steady().after(2 * LEASE)).await.expect("stored");
    // The same worker claims the job again while its first attempt still runs.
    let job = harness.reaches(id, JobState::Done).await;
    assert_eq!(job.attempt, 2);
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    harness.stop_worker(worker).await;
}

pub async fn jobs_of_a_dead_process_run_again_at_the_next_start(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let id = harness.add(&[Act::Hang, Act::Succeed]).await;
    let now = harness.clock.steady();
    harness.store.claim(claim("dead", 1, now)).await.expect("claimed");
    let latest = now.after(Duration::from_secs(900));
    assert_eq!(harness.store.rescue_orphans(now, latest).await.expect("stored"), 1);
    let worker = harness.start_worker(4);
    harness.reaches(id, JobState::Done).await;
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    harness.stop_worker(worker).await;
}

pub async fn a_jump_of_the_wall_clock_neither_stalls_nor_doubles_a_job(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let retried = harness.add(&[Act::FailForNow, Act::Succeed]).await;
    let running = harness.add(&[Act::WaitAtGate]).await;
    harness.reaches(retried, JobState::Retrying).await;
    harness.reaches(running, JobState::Running).await;
    for hours in [-5, 5] {
        let wall = harness.clock.steady().0 + hours * 3_600_000;
        harness.clock.set_wall(api::TimeMs(wall));
        let next = harness.add(&[Act::Succeed]).await;
        harness.reaches(next, JobState::Done).await;
    }
    assert_eq!(harness.job(retried).await.state, JobState::Retrying, "its backoff is not over");
    harness.clock.advance(Duration::from_secs(1));
    harness.reaches(retried, JobState::Done).await;
    assert_eq!(harness.job(running).await.attempt, 1);
    harness.open_gate();
    harness.stop_worker(worker).await;
}
