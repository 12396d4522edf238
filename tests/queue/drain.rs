//! How a worker stops.

use api::{AttemptOutcome, JobState};
use store::Clock;
use tests::builders::START;

use crate::yard::{Act, GRACE, Ground, LEASE, Yard};

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
