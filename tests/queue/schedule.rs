//! Which job runs when, and how many at a time.

use std::sync::Arc;
use std::time::Duration;

use api::JobState;
use store::{Clock, NewJob};
use tests::builders::START;
use tests::eventually;

use crate::harness::SetBackClock;
use crate::harness::{Act, Ground, Yard};

/// As long as no lease and no timeout, so that who sleeps until then gathers.
const CLAIM_DEBOUNCE: Duration = Duration::from_secs(45);

pub async fn a_scheduled_job_waits_for_its_time(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let run_at = START.after(Duration::from_secs(3600));
    let id = yard.enqueue(NewJob { run_at, ..yard.script(&[Act::Succeed]) }).await;
    assert_eq!(yard.job(id).await.state, JobState::Scheduled);
    yard.clock.task_sleeps_until(run_at).await;
    yard.clock.advance(Duration::from_secs(3600));
    yard.reaches(id, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn an_earlier_job_moves_the_alarm_forward(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let late = START.after(Duration::from_secs(3600));
    let soon = START.after(Duration::from_secs(60));
    let last = yard.enqueue(NewJob { run_at: late, ..yard.script(&[Act::Succeed]) }).await;
    yard.clock.task_sleeps_until(late).await;
    let first = yard.enqueue(NewJob { run_at: soon, ..yard.script(&[Act::Succeed]) }).await;
    yard.clock.task_sleeps_until(soon).await;
    yard.clock.advance(Duration::from_secs(60));
    yard.reaches(first, JobState::Done).await;
    assert_eq!(yard.job(last).await.state, JobState::Scheduled);
    yard.wind_up(worker).await;
}

pub async fn what_comes_soon_after_a_claim_gathers_and_is_claimed_together(ground: Ground) {
    let yard = Yard::new(ground).await;
    let worker = yard.start_debounced_worker(yard.clock.clone(), CLAIM_DEBOUNCE);
    let alone = yard.add(&[Act::Succeed]).await;
    yard.reaches(alone, JobState::Done).await;
    let first = yard.add(&[Act::Succeed]).await;
    let second = yard.add(&[Act::Succeed]).await;
    yard.clock.task_sleeps_until(START.after(CLAIM_DEBOUNCE)).await;
    assert_eq!(yard.count(JobState::Waiting).await, 2, "they are claimed one by one");
    yard.clock.advance(CLAIM_DEBOUNCE);
    yard.reaches(first, JobState::Done).await;
    yard.reaches(second, JobState::Done).await;
    // Nothing has come for a while: who comes alone again does not wait.
    yard.clock.advance(CLAIM_DEBOUNCE);
    let alone = yard.add(&[Act::Succeed]).await;
    yard.reaches(alone, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn a_clock_that_is_set_back_makes_no_job_gather_for_longer(ground: Ground) {
    let yard = Yard::new(ground).await;
    let clock = Arc::new(SetBackClock::of(yard.clock.clone()));
    let worker = yard.start_debounced_worker(clock.clone(), CLAIM_DEBOUNCE);
    let alone = yard.add(&[Act::Succeed]).await;
    yard.reaches(alone, JobState::Done).await;
    clock.set_back(Duration::from_secs(3600));
    let next = NewJob { run_at: clock.steady(), now: clock.steady(), ..yard.script(&[Act::Succeed]) };
    let next = yard.enqueue(next).await;
    // In seconds that do not jump.
    yard.clock.task_sleeps_until(START.after(CLAIM_DEBOUNCE)).await;
    yard.clock.advance(CLAIM_DEBOUNCE);
    yard.reaches(next, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn a_retry_by_hand_does_not_wait_for_the_backoff(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::FailForNow, Act::Succeed]).await;
    yard.reaches(id, JobState::Retrying).await;
    assert!(yard.store.retry_job(id, yard.clock.steady()).await.expect("stored"));
    yard.reaches(id, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn no_more_jobs_run_than_there_are_slots_and_every_free_slot_is_used(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 2).await;
    for _ in 0..5 {
        yard.add(&[Act::WaitAtGate]).await;
    }
    for done in 0..5 {
        let running = 2.min(5 - done);
        eventually("the free slots are taken", async || {
            let counts = yard.store.job_counts().await.expect("read");
            assert!(counts.running <= 2, "{counts:?}");
            (counts.running == running && counts.done == done).then_some(())
        })
        .await;
        yard.open_gate();
    }
    eventually("all are done", async || (yard.count(JobState::Done).await == 5).then_some(())).await;
    yard.wind_up(worker).await;
}

pub async fn urgent_jobs_go_first_and_equals_in_their_order(ground: Ground) {
    let yard = Yard::new(ground).await;
    let mut ids = Vec::new();
    for priority in [0, 5, 0, 5] {
        ids.push(yard.enqueue(NewJob { priority, ..yard.script(&[Act::WaitAtGate]) }).await);
    }
    let worker = yard.start_worker(1);
    for place in [1, 3, 0, 2] {
        yard.reaches(ids[place], JobState::Running).await;
        yard.open_gate();
        yard.reaches(ids[place], JobState::Done).await;
    }
    yard.wind_up(worker).await;
}

pub async fn hundreds_of_slow_jobs_wait_side_by_side(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 1_000).await;
    for _ in 0..300 {
        yard.add(&[Act::WaitAtGate]).await;
    }
    eventually("all 300 run", async || (yard.store.job_counts().await.expect("read").running == 300).then_some(()))
        .await;
    (0..300).for_each(|_| yard.open_gate());
    eventually("all 300 are done", async || (yard.count(JobState::Done).await == 300).then_some(())).await;
    yard.wind_up(worker).await;
}
