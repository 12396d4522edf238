//! A handler that does all that handlers may do, and notes how it is called.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::JobId;
use queue::JobError;
use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};
use store::{ClaimedJob, Clock};
use tests::HeldClock;

use crate::a_while;

/// So many verbs after an attempt has ended, none of which failed, the store is told what came of it.
const TOLD_WITHIN: u32 = 20;

/// An attempt at a job, by its number.
pub type AttemptId = (JobId, u32);

/// What is known of attempts where they are made.
#[derive(Clone, Default)]
pub struct Attempts(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    begun: BTreeSet<AttemptId>,
    running: BTreeSet<AttemptId>,
    succeeded: BTreeSet<AttemptId>,
    /// Those that have ended, and for how many verbs the store has not been told.
    untold: BTreeMap<AttemptId, u32>,
    /// What should not have happened. Not asserted at once: a handler's panics are caught.
    breaches: Vec<String>,
}

impl Attempts {
    pub fn has_succeeded(&self, attempt: AttemptId) -> bool {
        self.seen().succeeded.contains(&attempt)
    }

    /// The store is being told what came of it.
    pub fn is_told(&self, attempt: AttemptId) {
        self.seen().untold.remove(&attempt);
    }

    pub fn count_verb(&self) {
        for (attempt, verbs) in &mut self.seen().untold {
            *verbs += 1;
            assert!(*verbs <= TOLD_WITHIN, "the store is told nothing of {attempt:?}, which has ended");
        }
    }

    /// Who has to ask again has no time for anything else.
    pub fn grant_time(&self) {
        self.seen().untold.values_mut().for_each(|verbs| *verbs = 0);
    }

    pub fn check_that_all_was_well(&self) {
        let breaches = &self.seen().breaches;
        assert!(breaches.is_empty(), "{breaches:#?}");
    }

    fn begin(&self, attempt: AttemptId, slots: usize) -> Leaves {
        let mut seen = self.seen();
        if !seen.begun.insert(attempt) {
            seen.breaches.push(format!("{attempt:?} was begun twice"));
        }
        seen.running.insert(attempt);
        if seen.running.len() > slots {
            let breach = format!("{:?} run side by side in {slots} slots", seen.running);
            seen.breaches.push(breach);
        }
        Leaves { attempt, attempts: self.clone() }
    }

    fn expect_no_earlier_than(&self, attempt: AttemptId) {
        let mut seen = self.seen();
        if let Some(earlier) = seen.running.range((attempt.0, 0)..attempt).next().copied() {
            seen.breaches.push(format!("{earlier:?} goes on beside {attempt:?}"));
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Whole, and asked once more by those whom a failed check takes down.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn perform(job: ClaimedJob, slots: usize, attempts: Attempts, clock: Arc<HeldClock>) -> Result<(), JobError> {
    let attempt = (job.id, job.attempt);
    let _leaves = attempts.begin(attempt, slots);
    // One turn for an earlier attempt, whose lease was lost, to hear of it.
    yield_now().await;
    attempts.expect_no_earlier_than(attempt);
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
    attempts.seen().succeeded.insert(attempt);
    Ok(())
}

/// Notes the end of an attempt, whatever ends it.
struct Leaves {
    attempt: AttemptId,
    attempts: Attempts,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        let mut seen = self.attempts.seen();
        seen.running.remove(&self.attempt);
        seen.untold.insert(self.attempt, 0);
    }
}
