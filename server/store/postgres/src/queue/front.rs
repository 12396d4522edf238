//! Where the waiting jobs begin.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::JobState;
use tokio::time::Instant;

/// A job that was added before another may become visible after it, but not so much later.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// So often a claim looks from the very beginning, for what nobody has told of.
const LOOKS_EVERY: Duration = Duration::from_secs(10);

/// What claims have passed over, so that they need not pass over it again.
///
/// An index keeps the entries of jobs that are long running or done until no transaction is left that could see
/// them waiting. Under a long one (a backup, a forgotten `begin`) they pile up in front of those that do wait, and
/// each claim would step over all of them. So a claim begins behind the jobs that were handed out a while ago.
/// Only a hint: whoever makes an older job wait again has every process look from the beginning once more.
#[derive(Debug, Default)]
pub(crate) struct Front(Mutex<Passed>);

#[derive(Debug, Default)]
struct Passed {
    /// Of this priority, jobs up to `settled` were handed out.
    priority: i16,
    settled: Option<i64>,
    /// What is to be settled next, and since when it is known.
    newest: Option<(i64, Instant)>,
    /// When a claim last looked from the beginning and left nothing there.
    looked: Option<Instant>,
    /// Grows each time that older jobs may be waiting again.
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
        let passed = self.passed();
        let has_looked = passed.looked.is_some_and(|looked| now.duration_since(looked) < LOOKS_EVERY);
        let after = passed.settled.filter(|_| has_looked).unwrap_or(0);
        Start { priority: passed.priority, after, generation: passed.generation }
    }

    /// What a claim that began at `start` and `now` has handed out: the last job, by its priority and number, and
    /// whether it might have handed out more.
    pub(crate) fn claimed(&self, start: Start, last: Option<(i16, i64)>, took_all: bool, now: Instant) {
        let mut passed = self.passed();
        if let Some((priority, id)) = last {
            passed.pass(priority, id, now);
        }
        let is_beyond = last.is_some_and(|(_, id)| passed.settled.is_none_or(|settled| id > settled));
        if start.after == 0 && start.generation == passed.generation && (took_all || is_beyond) {
            passed.looked = Some(now);
        }
    }

    /// A job that was running is in this state now.
    pub(crate) fn moved_to(&self, state: JobState) {
        if state == JobState::Waiting {
            self.look_again();
        }
    }

    /// Older jobs may be waiting again.
    pub(crate) fn look_again(&self) {
        let mut passed = self.passed();
        passed.looked = None;
        passed.generation += 1;
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        // Nothing can panic while the lock is held, so a poisoned one is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passed {
    fn pass(&mut self, priority: i16, id: i64, now: Instant) {
        // What is more urgent than usual is rare, and so is what it leaves behind.
        if priority > self.priority && self.newest.is_some() {
            return;
        }
        if priority != self.priority {
            *self = Self { priority, generation: self.generation, ..Self::default() };
        }
        match self.newest {
            Some((newest, since)) if now.duration_since(since) >= SETTLED_AFTER => {
                self.settled = Some(newest);
                self.newest = Some((id.max(newest), now));
            }
            Some(_) => {}
            None => self.newest = Some((id, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    /// Claims that take everything, the last job of each, and when.
    fn claim_all(front: &Front, began: Instant, claims: &[(i64, f64)]) {
        for &(id, seconds) in claims {
            let now = after(began, seconds);
            front.claimed(front.start(now), Some((0, id)), true, now);
        }
    }

    #[test]
    fn what_was_handed_out_a_while_ago_is_passed_over() {
        let (front, began) = (Front::default(), Instant::now());
        claim_all(&front, began, &[(10, 0.0), (20, 0.5)]);
        assert_eq!(front.start(after(began, 0.5)).after, 0, "a job before them may not be visible yet");
        claim_all(&front, began, &[(30, 1.1)]);
        assert_eq!(front.start(after(began, 1.1)).after, 10);
        claim_all(&front, began, &[(40, 2.2)]);
        assert_eq!(front.start(after(began, 2.2)).after, 30);
    }

    #[test]
    fn now_and_then_one_claim_looks_from_the_beginning() {
        let (front, began) = (Front::default(), Instant::now());
        claim_all(&front, began, &[(10, 0.0), (20, 1.1)]);
        let look = after(began, 11.2);
        assert_eq!(front.start(look).after, 0);
        front.claimed(front.start(look), None, true, look);
        assert_eq!(front.start(look).after, 10, "there was nothing");
    }

    #[test]
    fn it_looks_until_nothing_older_is_left() {
        let (front, began) = (Front::default(), Instant::now());
        claim_all(&front, began, &[(10, 0.0), (20, 1.1)]);
        front.look_again();
        let now = after(began, 1.2);
        front.claimed(front.start(now), Some((0, 5)), false, now);
        assert_eq!(front.start(now).after, 0, "there may be more of them");
        front.claimed(front.start(now), Some((0, 25)), false, now);
        assert_eq!(front.start(now).after, 10, "it has got beyond them");
    }

    #[test]
    fn who_began_before_a_job_waited_again_has_not_looked() {
        let (front, began) = (Front::default(), Instant::now());
        claim_all(&front, began, &[(10, 0.0), (20, 1.1)]);
        let now = after(began, 11.2);
        let early = front.start(now);
        front.look_again();
        front.claimed(early, None, true, now);
        assert_eq!(front.start(now).after, 0);
    }

    #[test]
    fn a_less_urgent_priority_begins_anew_and_a_more_urgent_one_is_not_usual() {
        let (front, began) = (Front::default(), Instant::now());
        claim_all(&front, began, &[(10, 0.0), (20, 1.1)]);
        let now = after(began, 1.2);
        let priority_and_start = || (front.start(now).priority, front.start(now).after);
        front.claimed(front.start(now), Some((5, 99)), true, now);
        assert_eq!(priority_and_start(), (0, 10));
        front.claimed(front.start(now), Some((-1, 100)), true, now);
        assert_eq!(priority_and_start(), (-1, 0));
    }
}
