//! A handler that does everything a handler may do, and records its calls.

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

/// An ended attempt must be reported to the store within this number of successful calls.
const REPORTED_WITHIN: u32 = 20;

/// An attempt at a job, by its number.
pub type AttemptId = (JobId, u32);

/// What the handler has seen of attempts.
#[derive(Clone, Default)]
pub struct Attempts(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    begun: BTreeSet<AttemptId>,
    running: BTreeSet<AttemptId>,
    succeeded: BTreeSet<AttemptId>,
    /// Attempts that have ended, and the number of calls since then without a report.
    unreported: BTreeMap<AttemptId, u32>,
    /// Violated rules. Checked at the end, because a handler's panics are caught.
    breaches: Vec<String>,
}

impl Attempts {
    pub fn has_succeeded(&self, attempt: AttemptId) -> bool {
        self.seen().succeeded.contains(&attempt)
    }

    /// The store is receiving the attempt's result.
    pub fn report(&self, attempt: AttemptId) {
        self.seen().unreported.remove(&attempt);
    }

    pub fn count_call(&self) {
        for (attempt, calls) in &mut self.seen().unreported {
            *calls += 1;
            assert!(*calls <= REPORTED_WITHIN, "{attempt:?} has ended, and the store got no result");
        }
    }

    /// A failed call delays all reports.
    pub fn grant_time(&self) {
        self.seen().unreported.values_mut().for_each(|calls| *calls = 0);
    }

    pub fn assert_no_breaches(&self) {
        let breaches = &self.seen().breaches;
        assert!(breaches.is_empty(), "{breaches:#?}");
    }

    fn begin(&self, attempt: AttemptId, slots: usize) -> EndRecorder {
        let mut seen = self.seen();
        if !seen.begun.insert(attempt) {
            seen.breaches.push(format!("{attempt:?} was begun twice"));
        }
        seen.running.insert(attempt);
        if seen.running.len() > slots {
            let breach = format!("{:?} run side by side in {slots} slots", seen.running);
            seen.breaches.push(breach);
        }
        EndRecorder { attempt, attempts: self.clone() }
    }

    fn begin_together(&self, jobs: &[ClaimedJob], slots: usize) -> Group {
        let group: Vec<AttemptId> = jobs.iter().map(|job| (job.id, job.attempt)).collect();
        let mut seen = self.seen();
        seen.running.extend(&group);
        let twice = group.iter().find(|attempt| seen.begun.contains(attempt)).copied();
        let breach = match twice {
            Some(twice) => Some(format!("{twice:?} was begun twice")),
            None if group.iter().any(|(_, number)| *number > 1) => Some(format!("{group:?} are not first attempts")),
            None if seen.running.len() > slots => Some(format!("{:?} run in {slots} slots", seen.running)),
            None => None,
        };
        seen.breaches.extend(breach);
        Group { running: group, attempts: self.clone() }
    }

    fn expect_no_earlier_than(&self, attempt: AttemptId) {
        let mut seen = self.seen();
        if let Some(earlier) = seen.running.range((attempt.0, 0)..attempt).next().copied() {
            seen.breaches.push(format!("{earlier:?} goes on beside {attempt:?}"));
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A failed check poisons it, and destructors read it afterwards.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn perform(job: ClaimedJob, slots: usize, attempts: Attempts, clock: Arc<HeldClock>) -> Result<(), JobError> {
    let attempt = (job.id, job.attempt);
    let _recorder = attempts.begin(attempt, slots);
    // Gives an earlier attempt, whose lease was lost, one turn to notice it.
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
        // Bypasses the panic hook, which would print a schedule each time.
        7 => resume_unwind(Box::new("the handler fell over")),
        _ => std::future::pending().await,
    }
    attempts.seen().succeeded.insert(attempt);
    Ok(())
}

/// Performs jobs that run together. If they do not succeed, each of them runs alone afterwards.
pub async fn perform_all(
    jobs: Arc<[ClaimedJob]>,
    slots: usize,
    attempts: Attempts,
    clock: Arc<HeldClock>,
) -> Result<(), JobError> {
    if let [job] = &*jobs {
        return perform(job.clone(), slots, attempts, clock).await;
    }
    let group = attempts.begin_together(&jobs, slots);
    a_while(6).await;
    match thread_rng().gen_range(0..8) {
        0..=4 => {
            group.succeed();
            Ok(())
        }
        5 => Err(JobError::Retry("one of them failed".to_owned())),
        6 => resume_unwind(Box::new("the handler fell over")),
        _ => std::future::pending().await,
    }
}

/// Attempts that run together.
struct Group {
    running: Vec<AttemptId>,
    attempts: Attempts,
}

impl Group {
    /// From now on each of them must be reported, and may not begin again.
    fn succeed(&self) {
        let mut seen = self.attempts.seen();
        seen.begun.extend(&self.running);
        seen.succeeded.extend(&self.running);
        seen.unreported.extend(self.running.iter().map(|attempt| (*attempt, 0)));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.attempts.seen().running.retain(|attempt| !self.running.contains(attempt));
    }
}

/// Records the end of an attempt, whatever its outcome.
struct EndRecorder {
    attempt: AttemptId,
    attempts: Attempts,
}

impl Drop for EndRecorder {
    fn drop(&mut self) {
        let mut seen = self.attempts.seen();
        seen.running.remove(&self.attempt);
        seen.unreported.insert(self.attempt, 0);
    }
}
