//! A store that fails ends no worker and loses no outcome.

use std::sync::Arc;
use std::time::Duration;

use api::{AttemptOutcome, JobState};
use tests::eventually;

use crate::interceptor::Interceptor;
use crate::yard::{Act, Ground, Yard};

pub async fn outcomes_are_kept_until_the_store_takes_them(ground: Ground) {
    let yard = Yard::new(ground).await;
    let queue = Arc::new(Interceptor::before(yard.store.clone()));
    let worker = yard.start_worker_on(queue.clone(), 4);
    let id = yard.add(&[Act::WaitAtGate]).await;
    yard.reaches(id, JobState::Running).await;
    queue.break_down();
    yard.open_gate();
    for _ in 0..4 {
        // It asks again after a backoff, for as long as it takes.
        let before = queue.calls();
        let asks_again = async {
            eventually("it asks again", async || (queue.calls() > before).then_some(())).await;
        };
        tokio::select! { () = asks_again => {}, never = yard.time_passes() => match never {} }
    }
    assert_eq!(yard.job(id).await.state, JobState::Running);
    queue.mend();
    let job =
        tokio::select! { job = yard.reaches(id, JobState::Done) => job, never = yard.time_passes() => match never {} };
    assert_eq!(job.attempt, 1);
    let next = yard.add(&[Act::Succeed]).await;
    yard.reaches(next, JobState::Done).await;
    yard.wind_up(worker).await;
}

pub async fn an_idle_queue_is_not_asked_anything(ground: Ground) {
    let yard = Yard::new(ground).await;
    let queue = Arc::new(Interceptor::before(yard.store.clone()));
    let worker = yard.start_worker_on(queue.clone(), 4);
    let id = yard.add(&[Act::Succeed]).await;
    yard.reaches(id, JobState::Done).await;
    // Nothing is due and nothing is held: it sleeps until somebody wakes it.
    yard.clock.task_sleeps_until(api::TimeMs(i64::MAX)).await;
    let calls = queue.calls();
    for _ in 0..48 {
        yard.clock.advance(Duration::from_secs(1800));
        tokio::task::yield_now().await;
    }
    assert_eq!(queue.calls(), calls, "a day went by and it asked");
    yard.wind_up(worker).await;
}

pub async fn a_claim_whose_answer_is_lost_is_found_by_its_lease_though_nothing_else_happens(ground: Ground) {
    let yard = Yard::new(ground).await;
    let queue = Arc::new(Interceptor::before(yard.store.clone()));
    let id = yard.add(&[Act::Succeed]).await;
    queue.lose_next_claim();
    let worker = yard.start_worker_on(queue, 4);
    tokio::select! { _ = yard.reaches(id, JobState::Done) => {}, never = yard.time_passes() => match never {} }
    assert_eq!(yard.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    yard.wind_up(worker).await;
}
