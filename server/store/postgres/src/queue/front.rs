//! Where the waiting jobs begin.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::JobState;
use tokio::time::Instant;

/// A job that was added before another may become visible after it, but not so much later.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// So often a claim looks from the very beginning, for what nobody has told of.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// What claims have passed over, so that they need not pass over it again.
///
/// An index keeps the entries of jobs that are long running or done until no transaction is left that could see
/// them waiting. Under a long one (a backup, a forgotten `begin`) they pile up in front of those that do wait, and
/// each claim would step over all of them. So a claim begins behind the jobs that were handed out a while ago.
/// Only a hint: whoever makes an older job wait again has it forgotten, in every process.
#[derive(Debug, Default)]
pub(crate) struct Front(Mutex<Passed>);

#[derive(Debug, Default)]
struct Passed {
    /// Of this priority, jobs up to `settled` were handed out.
    priority: i16,
    settled: Option<i64>,
    /// What is to be settled next, and since when it is known.
    newest: Option<(i64, Instant)>,
    begun: Option<Instant>,
    /// Grows with each time that all was forgotten.
    generation: u64,
}

/// Where a claim begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) priority: i16,
    /// Jobs of this priority up to this number are passed over; 0 for none.
    pub(crate) after: i64,
    generation: u64,
}

impl Front {
    pub(crate) fn start(&self, now: Instant) -> Start {
        let mut passed = self.passed();
        if passed.begun.is_some_and(|begun| now.duration_since(begun) >= FORGOTTEN_AFTER) {
            passed.forget();
        }
        Start { priority: passed.priority, after: passed.settled.unwrap_or(0), generation: passed.generation }
    }

    /// A claim that began at `start` has handed out jobs, the last of them this one.
    pub(crate) fn passed_to(&self, start: Start, priority: i16, id: i64, now: Instant) {
        let mut passed = self.passed();
        if passed.generation != start.generation {
            return;
        }
        if passed.priority != priority {
            passed.forget();
            passed.priority = priority;
        }
        passed.begun.get_or_insert(now);
        match passed.newest {
            Some((newest, since)) if now.duration_since(since) >= SETTLED_AFTER => {
                passed.settled = Some(newest);
                passed.newest = Some((id.max(newest), now));
            }
            Some(_) => {}
            None => passed.newest = Some((id, now)),
        }
    }

    /// A job that was running is in this state now.
    pub(crate) fn moved_to(&self, state: JobState) {
        if state == JobState::Waiting {
            self.forget();
        }
    }

    /// Older jobs may be waiting again.
    pub(crate) fn forget(&self) {
        self.passed().forget();
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        // Nothing can panic while the lock is held, so a poisoned one is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passed {
    fn forget(&mut self) {
        *self = Self { priority: self.priority, generation: self.generation + 1, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn what_was_handed_out_a_while_ago_is_passed_over() {
        let (front, began) = (Front::default(), Instant::now());
        let pass = |id, seconds| front.passed_to(front.start(after(began, seconds)), 0, id, after(began, seconds));
        pass(10, 0.0);
        pass(20, 0.5);
        assert_eq!(front.start(after(began, 0.5)).after, 0, "a job before them may not be visible yet");
        pass(30, 1.1);
        assert_eq!(front.start(after(began, 1.1)).after, 10);
        pass(40, 2.2);
        assert_eq!(front.start(after(began, 2.2)).after, 30);
        assert_eq!(front.start(after(began, 10.0)).after, 0, "now and then it looks from the beginning");
    }

    #[test]
    fn who_began_before_all_was_forgotten_passes_nothing_over() {
        let (front, began) = (Front::default(), Instant::now());
        let early = front.start(began);
        front.forget();
        front.passed_to(early, 0, 10, began);
        front.passed_to(front.start(after(began, 2.0)), 0, 30, after(began, 2.0));
        assert_eq!(front.start(after(began, 2.0)).after, 0);
    }

    #[test]
    fn another_priority_begins_anew() {
        let (front, began) = (Front::default(), Instant::now());
        for seconds in [0.0, 1.1] {
            front.passed_to(front.start(began), 0, 10, after(began, seconds));
        }
        assert_eq!(front.start(began).after, 10);
        front.passed_to(front.start(began), 5, 99, after(began, 1.2));
        let start = front.start(began);
        assert_eq!((start.priority, start.after), (5, 0));
    }
}
