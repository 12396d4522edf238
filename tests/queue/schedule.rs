//! When jobs run, in which order, and how many at a time.

use std::sync::Arc;
use std::time::Duration;

use api::JobState;
use store::{Clock, NewJob};
use tests::builders::{START, signed};
use tests::eventually;

use crate::harness::AdjustableClock;
use crate::harness::{Act, DatabaseUnderTest, QueueHarness};

/// Differs from every lease and timeout, so that a sleep of this length is a debounce.
const CLAIM_DEBOUNCE: Duration = Duration::from_secs(45);

pub async fn a_scheduled_job_waits_for_its_time(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let run_at = START.after(Duration::from_secs(3600));
    let id = harness.enqueue(NewJob { run_at, ..harness.script(&[Act::Succeed]) }).await;
    assert_eq!(harness.job(id).await.state, JobState::Scheduled);
    harness.clock.task_sleeps_until(run_at).await;
    harness.clock.advance(Duration::from_secs(3600));
    harness.reaches(id, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn an_earlier_job_moves_the_alarm_forward(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let late = START.after(Duration::from_secs(3600));
    let soon = START.after(Duration::from_secs(60));
    let last = harness.enqueue(NewJob { run_at: late, ..harness.script(&[Act::Succeed]) }).await;
    harness.clock.task_sleeps_until(late).await;
    let first = harness.enqueue(NewJob { run_at: soon, ..harness.script(&[Act::Succeed]) }).await;
    harness.clock.task_sleeps_until(soon).await;
    harness.clock.advance(Duration::from_secs(60));
    harness.reaches(first, JobState::Done).await;
    assert_eq!(harness.job(last).await.state, JobState::Scheduled);
    harness.stop_worker(worker).await;
}

pub async fn jobs_that_come_soon_after_a_claim_are_claimed_together(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let worker = harness.start_debounced_worker(harness.clock.clone(), CLAIM_DEBOUNCE);
    let alone = harness.add(&[Act::Succeed]).await;
    harness.reaches(alone, JobState::Done).await;
    let first = harness.add(&[Act::Succeed]).await;
    let second = harness.add(&[Act::Succeed]).await;
    harness.clock.task_sleeps_until(START.after(CLAIM_DEBOUNCE)).await;
    assert_eq!(harness.count(JobState::Waiting).await, 2, "they were claimed one by one");
    harness.clock.advance(CLAIM_DEBOUNCE);
    harness.reaches(first, JobState::Done).await;
    harness.reaches(second, JobState::Done).await;
    // After a pause, a single job does not wait.
    harness.clock.advance(CLAIM_DEBOUNCE);
    let alone = harness.add(&[Act::Succeed]).await;
    harness.reaches(alone, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn a_clock_that_is_set_back_does_not_prolong_the_debounce(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let clock = Arc::new(AdjustableClock::of(harness.clock.clone()));
    let worker = harness.start_debounced_worker(clock.clone(), CLAIM_DEBOUNCE);
    let alone = harness.add(&[Act::Succeed]).await;
    harness.reaches(alone, JobState::Done).await;
    clock.set_back(Duration::from_secs(3600));
    let next = NewJob { run_at: clock.steady(), now: clock.steady(), ..harness.script(&[Act::Succeed]) };
    let next = harness.enqueue(next).await;
    // By the steady clock, which does not jump.
    harness.clock.task_sleeps_until(START.after(CLAIM_DEBOUNCE)).await;
    harness.clock.advance(CLAIM_DEBOUNCE);
    harness.reaches(next, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn a_retry_by_hand_does_not_wait_for_the_backoff(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::FailForNow, Act::Succeed]).await;
    harness.reaches(id, JobState::Retrying).await;
    assert!(harness.store.retry_job(id, harness.clock.steady(), &signed()).await.expect("stored"));
    harness.reaches(id, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn as_many_jobs_run_as_there_are_slots(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 2).await;
    for _ in 0..5 {
        harness.add(&[Act::WaitAtGate]).await;
    }
    for done in 0..5 {
        let running = 2.min(5 - done);
        eventually("the free slots are taken", async || {
            let counts = harness.store.job_counts().await.expect("read");
            assert!(counts.running <= 2, "{counts:?}");
            (counts.running == running && counts.done == done).then_some(())
        })
        .await;
        harness.open_gate();
    }
    eventually("all are done", async || (harness.count(JobState::Done).await == 5).then_some(())).await;
    harness.stop_worker(worker).await;
}

pub async fn jobs_run_by_priority_and_then_in_order(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let mut ids = Vec::new();
    for priority in [0, 5, 0, 5] {
        ids.push(harness.enqueue(NewJob { priority, ..harness.script(&[Act::WaitAtGate]) }).await);
    }
    let worker = harness.start_worker(1);
    for place in [1, 3, 0, 2] {
        harness.reaches(ids[place], JobState::Running).await;
        harness.open_gate();
        harness.reaches(ids[place], JobState::Done).await;
    }
    harness.stop_worker(worker).await;
}

pub async fn hundreds_of_slow_jobs_run_in_parallel(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 1_000).await;
    for _ in 0..300 {
        harness.add(&[Act::WaitAtGate]).await;
    }
    eventually("all 300 run", async || (harness.store.job_counts().await.expect("read").running == 300).then_some(()))
        .await;
    (0..300).for_each(|_| harness.open_gate());
    eventually("all 300 are done", async || (harness.count(JobState::Done).await == 300).then_some(())).await;
    harness.stop_worker(worker).await;
}
