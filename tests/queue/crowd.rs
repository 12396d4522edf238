//! Jobs that never go well, among many that do.

use api::JobState;
use store::NewJob;

use crate::yard::{Act, Ground, Yard};

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
