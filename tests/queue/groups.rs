//! Jobs that run together: as one attempt while all of them succeed, and each alone otherwise.

use api::{AttemptOutcome, JobId, JobState};
use store::{Clock, NewJob};

use crate::harness::{Act, DatabaseUnderTest, QueueHarness, TIMEOUT};

const BYSTANDERS: usize = 5;

async fn add_many(harness: &QueueHarness, acts: &[Act]) -> Vec<JobId> {
    let mut ids = Vec::new();
    for _ in 0..BYSTANDERS {
        ids.push(harness.add(acts).await);
    }
    ids
}

async fn are_done_at_once(harness: &QueueHarness, jobs: &[JobId]) {
    for &id in jobs {
        harness.reaches(id, JobState::Done).await;
        assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Done]);
    }
}

pub async fn jobs_of_one_claim_run_together(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let ids = add_many(&harness, &[Act::Succeed]).await;
    let (worker, begun) = harness.start_grouping_worker(9);
    are_done_at_once(&harness, &ids).await;
    assert_eq!(*begun.lock().expect("not poisoned"), [BYSTANDERS]);
    harness.stop_worker(worker).await;
}

pub async fn no_more_jobs_run_together_than_there_are_slots(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let ids = add_many(&harness, &[Act::Succeed]).await;
    let (worker, begun) = harness.start_grouping_worker(2);
    are_done_at_once(&harness, &ids).await;
    assert_eq!(*begun.lock().expect("not poisoned"), [2, 2, 1]);
    harness.stop_worker(worker).await;
}

/// One job does this among others, which succeed. Returns it once the others are done.
async fn among_others(harness: &QueueHarness, odd: NewJob) -> JobId {
    let mut others = add_many(harness, &[Act::Succeed]).await;
    let odd = harness.enqueue(odd).await;
    others.extend(add_many(harness, &[Act::Succeed]).await);
    let begun = harness.start_grouping_worker(64).1;
    are_done_at_once(harness, &others).await;
    let alone = 2 * BYSTANDERS + 1;
    assert_eq!(begun.lock().expect("not poisoned")[..=alone], [vec![alone], vec![1; alone]].concat());
    odd
}

pub async fn one_that_fails_or_panics_fails_alone(database: DatabaseUnderTest) {
    for (act, error) in [(Act::FailForNow, "not this time"), (Act::Panic, "panicked: the handler fell over")] {
        let harness = QueueHarness::new(database).await;
        let odd = among_others(&harness, harness.script(&[act, Act::Succeed])).await;
        let job = harness.reaches(odd, JobState::Retrying).await;
        assert_eq!((job.attempt, job.error.as_deref()), (1, Some(error)));
        tokio::select! { _ = harness.reaches(odd, JobState::Done) => {}, never = harness.time_passes() => match never {} }
        assert_eq!(harness.outcomes(odd).await, [AttemptOutcome::Failed, AttemptOutcome::Done]);
    }
}

pub async fn one_that_cannot_be_read_is_dead_alone(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let corrupt = NewJob { payload: "not json".to_owned(), ..harness.script(&[Act::Succeed]) };
    let odd = among_others(&harness, corrupt).await;
    harness.reaches(odd, JobState::Dead).await;
    assert_eq!(harness.outcomes(odd).await, [AttemptOutcome::Dead]);
}

pub async fn one_that_hangs_holds_the_others_up_until_its_time_is_over(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let begins_at = harness.clock.steady();
    let odd = harness.script(&[Act::Hang, Act::Succeed]);
    let odd = tokio::select! {
        odd = among_others(&harness, odd) => odd,
        never = harness.time_passes() => match never {},
    };
    assert!(harness.clock.steady() >= begins_at.after(TIMEOUT));
    tokio::select! { _ = harness.reaches(odd, JobState::Done) => {}, never = harness.time_passes() => match never {} }
    assert_eq!(harness.outcomes(odd).await, [AttemptOutcome::Failed, AttemptOutcome::Done]);
}

pub async fn one_that_is_cancelled_lets_the_others_go_on(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let mut others = add_many(&harness, &[Act::Succeed]).await;
    let hanging = harness.add(&[Act::Hang]).await;
    others.extend(add_many(&harness, &[Act::Succeed]).await);
    let (worker, _) = harness.start_grouping_worker(64);
    harness.reaches(hanging, JobState::Running).await;
    assert!(harness.store.cancel_job(hanging, harness.clock.steady(), None).await.expect("stored"));
    harness.reaches(hanging, JobState::Cancelled).await;
    assert_eq!(harness.outcomes(hanging).await, [AttemptOutcome::Cancelled]);
    are_done_at_once(&harness, &others).await;
    harness.stop_worker(worker).await;
}

pub async fn those_that_do_not_end_in_time_are_released_at_a_stop(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let ids = add_many(&harness, &[Act::Hang]).await;
    let (worker, _) = harness.start_grouping_worker(64);
    harness.reaches(ids[0], JobState::Running).await;
    harness.stop.cancel();
    harness.ends(worker).await;
    for id in ids {
        let job = harness.job(id).await;
        assert_eq!((job.state, job.attempt, job.worker), (JobState::Waiting, 0, None));
        assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Released]);
    }
}
