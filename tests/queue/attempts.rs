//! How attempts end, also among many others and when the worker stops.

use std::time::Duration;

use api::{AttemptOutcome, JobState};
use store::{Clock, Enqueued, NewJob};
use tests::builders::{START, signed};

use crate::harness::{Act, DatabaseUnderTest, GRACE, LEASE, QueueHarness, TIMEOUT};

const SECOND: Duration = Duration::from_secs(1);

pub async fn a_job_is_done_and_its_attempt_remembered(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::Succeed]).await;
    let job = harness.reaches(id, JobState::Done).await;
    assert_eq!((job.attempt, job.error, job.finished_at), (1, None, Some(START)));
    let attempts = harness.attempts(id).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].outcome, AttemptOutcome::Done);
    assert_eq!((attempts[0].number, attempts[0].worker.as_str()), (1, "ours"));
    assert_eq!((attempts[0].started_at, attempts[0].finished_at), (START, Some(START)));
    harness.stop_worker(worker).await;
}

pub async fn a_job_that_stored_its_own_result_only_frees_its_slot(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 1).await;
    let stored = harness.add(&[Act::SayStored]).await;
    let next = harness.add(&[Act::Succeed]).await;
    harness.reaches(next, JobState::Done).await;
    // The job only claims to have stored its result. It still runs, so the worker has stored nothing.
    assert_eq!(harness.job(stored).await.state, JobState::Running);
    harness.stop_worker(worker).await;
}

pub async fn a_failed_job_runs_again_after_its_backoff_and_not_before(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::FailForNow, Act::FailForNow, Act::Succeed]).await;
    let job = harness.reaches(id, JobState::Retrying).await;
    assert_eq!((job.run_at, job.error.as_deref()), (START.after(SECOND), Some("not this time")));
    harness.clock.task_sleeps_until(START.after(SECOND)).await;
    harness.clock.advance(Duration::from_millis(999));
    // Another job's completion shows that the worker has read the new time.
    let other = harness.add(&[Act::Succeed]).await;
    harness.reaches(other, JobState::Done).await;
    assert_eq!(harness.job(id).await.attempt, 1, "it ran before its time");
    harness.clock.advance(Duration::from_millis(1));
    let second_failure = harness.clock.steady();
    let due = second_failure.after(2 * SECOND);
    harness.clock.task_sleeps_until(due).await;
    assert_eq!(harness.job(id).await.run_at, due, "the backoff doubles");
    harness.clock.advance(2 * SECOND);
    harness.reaches(id, JobState::Done).await;
    let expected = [AttemptOutcome::Failed, AttemptOutcome::Failed, AttemptOutcome::Done];
    assert_eq!(harness.outcomes(id).await, expected);
    harness.stop_worker(worker).await;
}

pub async fn a_job_that_used_up_its_attempts_is_dead_until_it_is_retried(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let script = harness.script(&[Act::FailForNow, Act::FailForNow, Act::Succeed]);
    let id = harness.enqueue(NewJob { max_attempts: 2, ..script }).await;
    harness.reaches(id, JobState::Retrying).await;
    harness.clock.task_sleeps_until(START.after(SECOND)).await;
    harness.clock.advance(SECOND);
    let job = harness.reaches(id, JobState::Dead).await;
    assert_eq!((job.attempt, job.error.as_deref()), (2, Some("not this time")));
    assert!(harness.store.retry_job(id, harness.clock.steady(), &signed()).await.expect("stored"));
    let job = harness.reaches(id, JobState::Done).await;
    assert_eq!((job.attempt, job.max_attempts), (3, 3));
    harness.stop_worker(worker).await;
}

pub async fn a_permanent_failure_is_dead_at_once(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::FailForGood]).await;
    let job = harness.reaches(id, JobState::Dead).await;
    assert_eq!((job.attempt, job.error.as_deref()), (1, Some("never")));
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Dead]);
    harness.stop_worker(worker).await;
}

pub async fn a_panic_fails_only_its_own_job(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let bystander = harness.add(&[Act::WaitAtGate]).await;
    harness.reaches(bystander, JobState::Running).await;
    let id = harness.add(&[Act::Panic]).await;
    let job = harness.reaches(id, JobState::Retrying).await;
    assert_eq!(job.error.as_deref(), Some("panicked: the handler fell over"));
    harness.open_gate();
    harness.reaches(bystander, JobState::Done).await;
    let next = harness.add(&[Act::Succeed]).await;
    harness.reaches(next, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn an_attempt_that_times_out_is_retried(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::Hang, Act::Succeed]).await;
    harness.reaches(id, JobState::Running).await;
    harness.clock.task_sleeps_until(START.after(TIMEOUT)).await;
    harness.clock.advance(TIMEOUT);
    let job = harness.reaches(id, JobState::Retrying).await;
    assert_eq!(job.error.as_deref(), Some("took longer than 60 s"));
    harness.clock.task_sleeps_until(job.run_at).await;
    harness.clock.advance(SECOND);
    harness.reaches(id, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn a_job_with_a_corrupt_payload_is_dead_with_the_reason(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    for (payload, reason) in [("not json", "expected"), (r#"{"v":9,"acts":[]}"#, "its version is 9")] {
        let script = harness.script(&[Act::Succeed]);
        let id = harness.enqueue(NewJob { payload: payload.to_owned(), ..script }).await;
        let job = harness.reaches(id, JobState::Dead).await;
        let error = job.error.expect("a reason");
        assert!(error.starts_with("the payload cannot be read: ") && error.contains(reason), "{error}");
        assert_eq!(job.payload, payload, "the payload is kept for the administrator");
    }
    harness.stop_worker(worker).await;
}

pub async fn the_same_key_is_one_job(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let keyed = NewJob { key: Some("only once".to_owned()), ..harness.script(&[Act::Succeed]) };
    let first = harness.enqueue(keyed.clone()).await;
    harness.reaches(first, JobState::Done).await;
    assert_eq!(harness.store.enqueue(keyed).await.expect("stored"), Enqueued::Exists(first));
    let last = harness.add(&[Act::Succeed]).await;
    harness.reaches(last, JobState::Done).await;
    assert_eq!(harness.job(first).await.attempt, 1);
    assert_eq!(harness.count(JobState::Done).await, 2);
    harness.stop_worker(worker).await;
}

pub async fn a_cancelled_job_stops(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 1).await;
    let running = harness.add(&[Act::Hang]).await;
    harness.reaches(running, JobState::Running).await;
    let waiting = harness.add(&[Act::Succeed]).await;
    let now = harness.clock.steady();
    assert!(harness.store.cancel_job(waiting, now, Some(&signed())).await.expect("stored"));
    assert_eq!(harness.job(waiting).await.state, JobState::Cancelled);
    assert!(harness.store.cancel_job(running, now, Some(&signed())).await.expect("stored"));
    harness.reaches(running, JobState::Cancelled).await;
    assert_eq!(harness.outcomes(running).await, [AttemptOutcome::Cancelled]);
    let next = harness.add(&[Act::Succeed]).await;
    harness.reaches(next, JobState::Done).await;
    assert_eq!(harness.job(waiting).await.attempt, 0, "it never began");
    harness.stop_worker(worker).await;
}

const MANY: usize = 300;

pub async fn jobs_that_fail_in_every_way_do_not_hinder_others(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 16).await;
    let mut failing = Vec::new();
    for act in [Act::Panic, Act::Hang, Act::FailForNow, Act::FailForGood] {
        for _ in 0..3 {
            failing.push((harness.add(&[act]).await, act));
        }
    }
    let corrupt = NewJob { payload: "not json".to_owned(), ..harness.script(&[Act::Succeed]) };
    let corrupt = harness.enqueue(corrupt).await;
    for _ in 0..MANY {
        harness.add(&[Act::Succeed]).await;
    }
    // The clock stands still, so hanging jobs hang and failed jobs wait for their next attempt.
    let last = harness.add(&[Act::Succeed]).await;
    harness.reaches(last, JobState::Done).await;
    assert_eq!(harness.count(JobState::Done).await, MANY + 1, "all others are done while the hanging jobs run");
    assert_eq!(harness.count(JobState::Running).await, 3);
    harness.reaches(corrupt, JobState::Dead).await;

    let ended = async {
        for (id, act) in &failing {
            let job = harness.reaches(*id, JobState::Dead).await;
            let (attempts, reason) = match act {
                Act::Panic => (3, "panicked: the handler fell over"),
                Act::Hang => (3, "took longer than 60 s"),
                Act::FailForNow => (3, "not this time"),
                _ => (1, "never"),
            };
            assert_eq!((job.attempt, job.error.as_deref()), (attempts, Some(reason)), "{act:?}");
        }
    };
    tokio::select! { () = ended => {}, never = harness.time_passes() => match never {} }
    harness.stop_worker(worker).await;
}

pub async fn an_idle_worker_stops_immediately(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::Succeed]).await;
    harness.reaches(id, JobState::Done).await;
    harness.stop.cancel();
    worker.await.expect("ended");
}

pub async fn a_job_that_ends_within_the_grace_time_is_done(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 1).await;
    let running = harness.add(&[Act::WaitAtGate]).await;
    harness.reaches(running, JobState::Running).await;
    let waiting = harness.add(&[Act::Succeed]).await;
    harness.stop.cancel();
    harness.open_gate();
    worker.await.expect("ended");
    assert_eq!(harness.job(running).await.state, JobState::Done);
    assert_eq!(harness.job(waiting).await.state, JobState::Waiting, "a stopping worker claims nothing");
}

pub async fn a_job_that_does_not_end_in_time_is_released_without_losing_an_attempt(database: DatabaseUnderTest) {
    let (harness, worker) = QueueHarness::working(database, 4).await;
    let id = harness.add(&[Act::Hang]).await;
    harness.reaches(id, JobState::Running).await;
    harness.stop.cancel();
    let renewals = async {
        loop {
            // The dispatcher sets its next alarm after it has handled this one.
            harness.clock.task_sleeps_until(harness.clock.steady().after(LEASE / 3)).await;
            harness.clock.advance(LEASE / 3);
        }
    };
    tokio::select! { ended = worker => ended.expect("ended"), () = renewals => {} }
    assert!(harness.clock.steady() >= START.after(GRACE), "the job had no grace time");
    let job = harness.job(id).await;
    assert_eq!((job.state, job.attempt, job.worker), (JobState::Waiting, 0, None));
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Released]);
}
