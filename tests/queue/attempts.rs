//! How attempts end, also beside many others and when the worker stops.

use std::time::Duration;

use api::{AttemptOutcome, JobState};
use store::{Clock, Enqueued, NewJob};
use tests::builders::START;

use crate::harness::{Act, GRACE, Ground, LEASE, TIMEOUT, Yard};

const SECOND: Duration = Duration::from_secs(1);

pub async fn a_job_is_done_and_its_attempt_remembered(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::Succeed]).await;
    let job = yard.reaches(id, JobState::Done).await;
    assert_eq!((job.attempt, job.error, job.finished_at), (1, None, Some(START)));
    let attempts = yard.attempts(id).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].outcome, AttemptOutcome::Done);
    assert_eq!((attempts[0].number, attempts[0].worker.as_str()), (1, "ours"));
    assert_eq!((attempts[0].started_at, attempts[0].finished_at), (START, Some(START)));
    yard.wind_up(worker).await;
}

pub async fn who_has_stored_its_end_itself_frees_its_slot_and_no_more(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 1).await;
    let stored = yard.add(&[Act::SayStored]).await;
    let next = yard.add(&[Act::Succeed]).await;
    yard.reaches(next, JobState::Done).await;
    // It has said so without doing it: had the worker stored anything, it would not be running still.
    assert_eq!(yard.job(stored).await.state, JobState::Running);
    yard.wind_up(worker).await;
}

pub async fn a_failed_job_runs_again_after_its_backoff_and_not_before(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::FailForNow, Act::FailForNow, Act::Succeed]).await;
    let job = yard.reaches(id, JobState::Retrying).await;
    assert_eq!((job.run_at, job.error.as_deref()), (START.after(SECOND), Some("not this time")));
    yard.clock.task_sleeps_until(START.after(SECOND)).await;
    yard.clock.advance(Duration::from_millis(999));
    // The worker has seen the new time when it does something with it.
    let other = yard.add(&[Act::Succeed]).await;
    yard.reaches(other, JobState::Done).await;
    assert_eq!(yard.job(id).await.attempt, 1, "it ran before its time");
    yard.clock.advance(Duration::from_millis(1));
    let second_failure = yard.clock.steady();
    let due = second_failure.after(2 * SECOND);
    yard.clock.task_sleeps_until(due).await;
    assert_eq!(yard.job(id).await.run_at, due, "the backoff doubles");
    yard.clock.advance(2 * SECOND);
    yard.reaches(id, JobState::Done).await;
    let expected = [AttemptOutcome::Failed, AttemptOutcome::Failed, AttemptOutcome::Done];
    assert_eq!(yard.outcomes(id).await, expected);
    yard.wind_up(worker).await;
}

pub async fn a_job_that_used_up_its_attempts_is_dead_until_it_is_retried(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let script = yard.script(&[Act::FailForNow, Act::FailForNow, Act::Succeed]);
    let id = yard.enqueue(NewJob { max_attempts: 2, ..script }).await;
    yard.reaches(id, JobState::Retrying).await;
    yard.clock.task_sleeps_until(START.after(SECOND)).await;
    yard.clock.advance(SECOND);
    let job = yard.reaches(id, JobState::Dead).await;
    assert_eq!((job.attempt, job.error.as_deref()), (2, Some("not this time")));
    assert!(yard.store.retry_job(id, yard.clock.steady()).await.expect("stored"));
    let job = yard.reaches(id, JobState::Done).await;
    assert_eq!((job.attempt, job.max_attempts), (3, 3));
    yard.wind_up(worker).await;
}

pub async fn what_fails_for_good_is_dead_at_once(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::FailForGood]).await;
    let job = yard.reaches(id, JobState::Dead).await;
    assert_eq!((job.attempt, job.error.as_deref()), (1, Some("never")));
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Dead]);
    yard.wind_up(worker).await;
}

pub async fn a_panic_is_a_failure_that_hinders_nobody_else(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let bystander = yard.add(&[Act::WaitAtGate]).await;
    yard.reaches(bystander, JobState::Running).await;
    let id = yard.add(&[Act::Panic]).await;
    let job = yard.reaches(id, JobState::Retrying).await;
    assert_eq!(job.error.as_deref(), Some("panicked: the handler fell over"));
    yard.open_gate();
    yard.reaches(bystander, JobState::Done).await;
    let next = yard.add(&[Act::Succeed]).await;
    yard.reaches(next, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn an_attempt_that_takes_too_long_is_given_up_and_tried_again(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::Hang, Act::Succeed]).await;
    yard.reaches(id, JobState::Running).await;
    yard.clock.task_sleeps_until(START.after(TIMEOUT)).await;
    yard.clock.advance(TIMEOUT);
    let job = yard.reaches(id, JobState::Retrying).await;
    assert_eq!(job.error.as_deref(), Some("took longer than 60 s"));
    yard.clock.task_sleeps_until(job.run_at).await;
    yard.clock.advance(SECOND);
    yard.reaches(id, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn a_payload_that_cannot_be_read_is_dead_with_the_reason(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    for (payload, reason) in [("not json", "expected"), (r#"{"v":9,"acts":[]}"#, "its version is 9")] {
        let script = yard.script(&[Act::Succeed]);
        let id = yard.enqueue(NewJob { payload: payload.to_owned(), ..script }).await;
        let job = yard.reaches(id, JobState::Dead).await;
        let error = job.error.expect("a reason");
        assert!(error.starts_with("the payload cannot be read: ") && error.contains(reason), "{error}");
        assert_eq!(job.payload, payload, "it stays as it is, for whoever looks");
    }
    yard.wind_up(worker).await;
}

pub async fn the_same_key_is_one_job(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let keyed = NewJob { key: Some("only once".to_owned()), ..yard.script(&[Act::Succeed]) };
    let first = yard.enqueue(keyed.clone()).await;
    yard.reaches(first, JobState::Done).await;
    assert_eq!(yard.store.enqueue(keyed).await.expect("stored"), Enqueued::Exists(first));
    let last = yard.add(&[Act::Succeed]).await;
    yard.reaches(last, JobState::Done).await;
    assert_eq!(yard.job(first).await.attempt, 1);
    assert_eq!(yard.count(JobState::Done).await, 2);
    yard.wind_up(worker).await;
}

pub async fn a_cancelled_job_stops_where_it_is(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 1).await;
    let running = yard.add(&[Act::Hang]).await;
    yard.reaches(running, JobState::Running).await;
    let waiting = yard.add(&[Act::Succeed]).await;
    let now = yard.clock.steady();
    assert!(yard.store.cancel_job(waiting, now).await.expect("stored"));
    assert_eq!(yard.job(waiting).await.state, JobState::Cancelled);
    assert!(yard.store.cancel_job(running, now).await.expect("stored"));
    yard.reaches(running, JobState::Cancelled).await;
    assert_eq!(yard.outcomes(running).await, [AttemptOutcome::Cancelled]);
    let next = yard.add(&[Act::Succeed]).await;
    yard.reaches(next, JobState::Done).await;
    assert_eq!(yard.job(waiting).await.attempt, 0, "it was never begun");
    yard.wind_up(worker).await;
}

const MANY: usize = 300;

pub async fn jobs_that_fail_in_every_way_hinder_none_of_the_many_beside_them(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 16).await;
    let mut never_well = Vec::new();
    for act in [Act::Panic, Act::Hang, Act::FailForNow, Act::FailForGood] {
        for _ in 0..3 {
            never_well.push((yard.add(&[act]).await, act));
        }
    }
    let corrupt = NewJob { payload: "not json".to_owned(), ..yard.script(&[Act::Succeed]) };
    let corrupt = yard.enqueue(corrupt).await;
    for _ in 0..MANY {
        yard.add(&[Act::Succeed]).await;
    }
    // Nobody moves the clock: what hangs hangs, and what failed waits for its next attempt.
    let last = yard.add(&[Act::Succeed]).await;
    yard.reaches(last, JobState::Done).await;
    assert_eq!(yard.count(JobState::Done).await, MANY + 1, "all are done while those that hang are running");
    assert_eq!(yard.count(JobState::Running).await, 3);
    yard.reaches(corrupt, JobState::Dead).await;

    let ended = async {
        for (id, act) in &never_well {
            let job = yard.reaches(*id, JobState::Dead).await;
            let (attempts, reason) = match act {
                Act::Panic => (3, "panicked: the handler fell over"),
                Act::Hang => (3, "took longer than 60 s"),
                Act::FailForNow => (3, "not this time"),
                _ => (1, "never"),
            };
            assert_eq!((job.attempt, job.error.as_deref()), (attempts, Some(reason)), "{act:?}");
        }
    };
    tokio::select! { () = ended => {}, never = yard.time_passes() => match never {} }
    yard.wind_up(worker).await;
}

pub async fn an_idle_worker_stops_at_once(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::Succeed]).await;
    yard.reaches(id, JobState::Done).await;
    yard.stop.cancel();
    worker.await.expect("ended");
}

pub async fn a_job_that_ends_within_the_grace_time_is_done(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 1).await;
    let running = yard.add(&[Act::WaitAtGate]).await;
    yard.reaches(running, JobState::Running).await;
    let waiting = yard.add(&[Act::Succeed]).await;
    yard.stop.cancel();
    yard.open_gate();
    worker.await.expect("ended");
    assert_eq!(yard.job(running).await.state, JobState::Done);
    assert_eq!(yard.job(waiting).await.state, JobState::Waiting, "nothing is claimed any more");
}

pub async fn a_job_that_does_not_is_handed_back_without_costing_it_an_attempt(ground: Ground) {
    let (yard, worker) = Yard::working(ground, 4).await;
    let id = yard.add(&[Act::Hang]).await;
    yard.reaches(id, JobState::Running).await;
    yard.stop.cancel();
    let renewals = async {
        loop {
            // The dispatcher keeps up: its next alarm is set when it is done with this one.
            yard.clock.task_sleeps_until(yard.clock.steady().after(LEASE / 3)).await;
            yard.clock.advance(LEASE / 3);
        }
    };
    tokio::select! { ended = worker => ended.expect("ended"), () = renewals => {} }
    assert!(yard.clock.steady() >= START.after(GRACE), "it had no grace time");
    let job = yard.job(id).await;
    assert_eq!((job.state, job.attempt, job.worker), (JobState::Waiting, 0, None));
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Released]);
}
