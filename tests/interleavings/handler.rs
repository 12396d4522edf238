//! A handler that does all that handlers may do, and checks that it is called as promised.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::JobId;
use queue::JobError;
use shuttle::rand::{Rng, thread_rng};
use store::{ClaimedJob, Clock};
use tests::HeldClock;

use crate::a_while;

/// What the handler has seen of attempts, each named by its job and its number.
#[derive(Debug, Default)]
pub struct Attempts {
    begun: BTreeSet<(JobId, u32)>,
    running: BTreeSet<(JobId, u32)>,
    succeeded: BTreeSet<(JobId, u32)>,
}

impl Attempts {
    pub fn has_succeeded(&self, attempt: (JobId, u32)) -> bool {
        self.succeeded.contains(&attempt)
    }
}

pub async fn perform(
    job: ClaimedJob,
    slots: usize,
    attempts: Arc<Mutex<Attempts>>,
    clock: Arc<HeldClock>,
) -> Result<(), JobError> {
    let attempt = (job.id, job.attempt);
    let _leaves = Leaves { attempt, attempts: attempts.clone() };
    {
        let mut attempts = attempts.lock().unwrap();
        assert!(attempts.begun.insert(attempt), "{attempt:?} was begun twice");
        attempts.running.insert(attempt);
        assert!(attempts.running.len() <= slots, "more run than there are slots: {:?}", attempts.running);
    }
    a_while(6).await;
    match thread_rng().gen_range(0..10) {
        0..=2 => {}
        3 => {
            let wait = Duration::from_secs(thread_rng().gen_range(1..20));
            clock.sleep_until(clock.steady().after(wait)).await;
        }
        4 | 5 => return Err(JobError::Retry("not this time".to_owned())),
        6 => return Err(JobError::Dead("never".to_owned())),
        // Without the panic hook, which would print a schedule for each.
        7 => resume_unwind(Box::new("the handler fell over")),
        _ => std::future::pending().await,
    }
    attempts.lock().unwrap().succeeded.insert(attempt);
    Ok(())
}

/// Notes the end of an attempt, whatever ends it.
struct Leaves {
    attempt: (JobId, u32),
    attempts: Arc<Mutex<Attempts>>,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        self.attempts.lock().unwrap().running.remove(&self.attempt);
    }
}
