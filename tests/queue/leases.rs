//! Leases: kept while jobs run, lost by workers that are gone.

use std::sync::Arc;
use std::time::Duration;

use api::{AttemptOutcome, JobState};
use store::{AttemptResult, Claim, Clock, NewJob};
use tests::builders::{START, claim, finished};

use crate::harness::SetBackClock;
use crate::harness::{Act, Ground, LEASE, Yard};
use crate::store_failures::Interceptor;

pub async fn a_long_job_keeps_its_lease(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::WaitAtGate]).await;
    yard.reaches(id, JobState::Running).await;
    for _ in 0..9 {
        yard.clock.task_sleeps_until(yard.clock.steady().after(LEASE / 3)).await;
        yard.clock.advance(LEASE / 3);
    }
    // Renewed to three leases after its claim: nobody may take it over now.
    yard.clock.task_sleeps_until(yard.clock.steady().after(LEASE / 3)).await;
    assert_eq!(yard.store.expire_leases(yard.clock.steady()).await.expect("stored"), 0);
    yard.open_gate();
    let job = yard.reaches(id, JobState::Done).await;
    assert_eq!(job.attempt, 1);
    yard.wind_up(worker).await;
}

pub async fn a_lease_is_renewed_in_time_however_long_its_claim_took(ground: Ground) {
    let yard = Yard::new(ground).await;
    let queue = Arc::new(Interceptor::before(yard.store.clone()));
    queue.hold_claims();
    let id = yard.add(&[Act::WaitAtGate]).await;
    let worker = yard.start_worker_on(queue.clone(), 4);
    yard.reaches(id, JobState::Running).await;
    yard.clock.advance(LEASE / 3 * 2);
    queue.let_claims_through();
    // The renewal was due before the claim was answered; the next one is due a third of a lease later.
    yard.clock.task_sleeps_until(START.after(LEASE)).await;
    let end_of_first_lease = START.after(LEASE + Duration::from_millis(1));
    assert_eq!(yard.store.expire_leases(end_of_first_lease).await.expect("stored"), 0);
    yard.open_gate();
    yard.reaches(id, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn the_jobs_of_a_worker_that_is_gone_are_taken_over_when_its_lease_ends(ground: Ground) {
    let yard = Yard::new(ground).await;
    let id = yard.add(&[Act::Hang, Act::Succeed]).await;
    let now = yard.clock.steady();
    let theirs = yard.store.claim(claim("gone", 1, now)).await.expect("claimed");
    assert_eq!(theirs[0].id, id);
    // A job of our own, so that there are renewals, at which expired leases are looked for.
    let worker = yard.start_worker(4);
    let ours = yard.add(&[Act::WaitAtGate]).await;
    yard.reaches(ours, JobState::Running).await;
    for _ in 0..4 {
        assert_eq!(yard.job(id).await.state, JobState::Running, "not before its lease ends");
        yard.clock.task_sleeps_until(yard.clock.steady().after(LEASE / 3)).await;
        yard.clock.advance(LEASE / 3);
    }
    yard.reaches(id, JobState::Done).await;
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    let late = finished(&theirs[0], "gone", AttemptResult::Dead { error: "too late".to_owned() }, yard.clock.steady());
    assert_eq!(yard.store.finish(vec![late]).await.expect("stored"), 0, "what it says now is refused");
    assert_eq!(yard.job(id).await.state, JobState::Done);
    yard.open_gate();
    yard.wind_up(worker).await;
}

pub async fn an_idle_worker_takes_over_the_jobs_of_one_that_is_gone(ground: Ground) {
    let yard = Yard::new(ground).await;
    let id = yard.add(&[Act::Hang, Act::Succeed]).await;
    assert_eq!(yard.store.claim(claim("gone", 1, START)).await.expect("claimed").len(), 1);
    let worker = yard.start_worker_beside_others(yard.clock.clone(), 4);
    for looks in 1..=4 {
        assert_eq!(yard.job(id).await.state, JobState::Running, "not before its lease ends");
        yard.clock.task_sleeps_until(START.after(LEASE / 3 * looks)).await;
        yard.clock.advance(LEASE / 3);
    }
    yard.reaches(id, JobState::Done).await;
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    yard.wind_up(worker).await;
}

pub async fn a_worker_whose_clock_is_set_back_does_not_wait_until_it_has_caught_up(ground: Ground) {
    const HOUR: Duration = Duration::from_secs(3_600);
    let yard = Yard::new(ground).await;
    // Not due for anybody but the one that is gone.
    let job = NewJob { run_at: START.after(2 * HOUR), ..yard.script(&[Act::Hang, Act::Succeed]) };
    let id = yard.enqueue(job).await;
    let clock = Arc::new(SetBackClock::of(yard.clock.clone()));
    let worker = yard.start_worker_beside_others(clock.clone(), 4);
    yard.clock.task_sleeps_until(START.after(LEASE / 3)).await;
    clock.set_back(HOUR);
    let now = clock.steady();
    let theirs = Claim { now: START.after(3 * HOUR), ..claim("gone", 1, now) };
    assert_eq!(yard.store.claim(theirs).await.expect("claimed").len(), 1);
    tokio::select! {
        _ = yard.reaches(id, JobState::Done) => {}
        never = yard.time_passes() => match never {},
    }
    // By the wall clock, which was not set.
    let taken_over_at = yard.attempts(id).await[1].started_at;
    assert!(taken_over_at < START.after(2 * LEASE), "{} ms after the claim", taken_over_at.since(START));
    yard.wind_up(worker).await;
}

pub async fn an_attempt_whose_lease_was_lost_is_stopped_and_its_outcome_refused(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::WaitAtGate, Act::Succeed]).await;
    yard.reaches(id, JobState::Running).await;
    // As another process would, to whom our lease seems to be over.
    yard.store.expire_leases(yard.clock.steady().after(2 * LEASE)).await.expect("stored");
    // The job waits again, and it is our own worker that claims it, with its first attempt still running.
    let job = yard.reaches(id, JobState::Done).await;
    assert_eq!(job.attempt, 2);
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    yard.wind_up(worker).await;
}

pub async fn what_a_dead_process_left_runs_again_at_the_next_start(ground: Ground) {
    let yard = Yard::new(ground).await;
    let id = yard.add(&[Act::Hang, Act::Succeed]).await;
    let now = yard.clock.steady();
    yard.store.claim(claim("dead", 1, now)).await.expect("claimed");
    let latest = now.after(Duration::from_secs(900));
    assert_eq!(yard.store.rescue_orphans(now, latest).await.expect("stored"), 1);
    let worker = yard.start_worker(4);
    yard.reaches(id, JobState::Done).await;
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    yard.wind_up(worker).await;
}

pub async fn a_jump_of_the_wall_clock_neither_stalls_nor_doubles_a_job(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let retried = yard.add(&[Act::FailForNow, Act::Succeed]).await;
    let running = yard.add(&[Act::WaitAtGate]).await;
    yard.reaches(retried, JobState::Retrying).await;
    yard.reaches(running, JobState::Running).await;
    for hours in [-5, 5] {
        let wall = yard.clock.steady().0 + hours * 3_600_000;
        yard.clock.set_wall(api::TimeMs(wall));
        let next = yard.add(&[Act::Succeed]).await;
        yard.reaches(next, JobState::Done).await;
    }
    assert_eq!(yard.job(retried).await.state, JobState::Retrying, "its second is not over");
    yard.clock.advance(Duration::from_secs(1));
    yard.reaches(retried, JobState::Done).await;
    assert_eq!(yard.job(running).await.attempt, 1);
    yard.open_gate();
    yard.wind_up(worker).await;
}
