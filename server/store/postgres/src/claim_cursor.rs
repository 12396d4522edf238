//! Where a claim starts to look for waiting jobs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Jobs may become visible out of order, but never by more than this.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// How often a claim starts from the beginning anyway, for jobs that no notification announced.
const FULL_SCAN_EVERY: Duration = Duration::from_secs(10);

/// Remembers which jobs were claimed, so that later claims skip their index entries.
///
/// An index keeps the entries of claimed jobs until no transaction is left that could see them waiting. During a long
/// one (a backup, a forgotten `begin`) they pile up in front of the waiting jobs, and each claim would step over all of
/// them. So a claim starts after the jobs that were claimed a while ago. The cursor is only a hint: a process that
/// makes an older job wait again resets the cursor of every process.
#[derive(Debug, Default)]
pub(crate) struct ClaimCursor(Mutex<Position>);

#[derive(Debug, Default)]
struct Position {
    /// Jobs of this priority up to `settled` were claimed.
    priority: i16,
    settled: Option<i64>,
    /// The next value of `settled`, and when it was claimed.
    newest: Option<(i64, Instant)>,
    /// When a claim last started from the beginning and left no older job there.
    scanned_at: Option<Instant>,
    /// Grows with each reset.
    generation: u64,
}

/// Where a claim starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) priority: i16,
    /// Jobs of this priority up to this id are skipped. 0 skips none.
    pub(crate) after: i64,
    generation: u64,
}

impl ClaimCursor {
    pub(crate) fn start(&self, now: Instant) -> Start {
        let position = self.position();
        let is_recent = position.scanned_at.is_some_and(|at| now.duration_since(at) < FULL_SCAN_EVERY);
        let after = position.settled.filter(|_| is_recent).unwrap_or(0);
        Start { priority: position.priority, after, generation: position.generation }
    }

    /// Records a claim that started at `start` and `now`: its last job, by priority and id, and whether it claimed all
    /// waiting jobs.
    pub(crate) fn claimed(&self, start: Start, last: Option<(i16, i64)>, took_all: bool, now: Instant) {
        let mut position = self.position();
        if let Some((priority, id)) = last {
            position.advance(priority, id, now);
        }
        let is_beyond = last.is_some_and(|(_, id)| position.settled.is_none_or(|settled| id > settled));
        if start.after == 0 && start.generation == position.generation && (took_all || is_beyond) {
            position.scanned_at = Some(now);
        }
    }

    /// Lets the next claim start from the beginning, because older jobs may be waiting again.
    pub(crate) fn reset(&self) {
        let mut position = self.position();
        position.scanned_at = None;
        position.generation += 1;
    }

    fn position(&self) -> MutexGuard<'_, Position> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Position {
    fn advance(&mut self, priority: i16, id: i64, now: Instant) {
        // More urgent jobs are rare, and leave few index entries.
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

    /// Runs claims that take all waiting jobs. Each is given by its last job and its time.
    fn claim_all(cursor: &ClaimCursor, began: Instant, claims: &[(i64, f64)]) {
        for &(id, seconds) in claims {
            let now = after(began, seconds);
            cursor.claimed(cursor.start(now), Some((0, id)), true, now);
        }
    }

    #[test]
    fn jobs_claimed_a_while_ago_are_skipped() {
        let (cursor, began) = (ClaimCursor::default(), Instant::now());
        claim_all(&cursor, began, &[(10, 0.0), (20, 0.5)]);
        assert_eq!(cursor.start(after(began, 0.5)).after, 0, "a job before them may not be visible yet");
        claim_all(&cursor, began, &[(30, 1.1)]);
        assert_eq!(cursor.start(after(began, 1.1)).after, 10);
        claim_all(&cursor, began, &[(40, 2.2)]);
        assert_eq!(cursor.start(after(began, 2.2)).after, 30);
    }

    #[test]
    fn a_full_scan_happens_regularly() {
        let (cursor, began) = (ClaimCursor::default(), Instant::now());
        claim_all(&cursor, began, &[(10, 0.0), (20, 1.1)]);
        let later = after(began, 11.2);
        assert_eq!(cursor.start(later).after, 0);
        cursor.claimed(cursor.start(later), None, true, later);
        assert_eq!(cursor.start(later).after, 10, "no older job was left");
    }

    #[test]
    fn after_a_reset_claims_start_from_the_beginning_until_no_older_job_is_left() {
        let (cursor, began) = (ClaimCursor::default(), Instant::now());
        claim_all(&cursor, began, &[(10, 0.0), (20, 1.1)]);
        cursor.reset();
        let now = after(began, 1.2);
        cursor.claimed(cursor.start(now), Some((0, 5)), false, now);
        assert_eq!(cursor.start(now).after, 0, "there may be more of them");
        cursor.claimed(cursor.start(now), Some((0, 25)), false, now);
        assert_eq!(cursor.start(now).after, 10, "the claim has passed them");
    }

    #[test]
    fn a_claim_that_started_before_a_reset_does_not_count_as_a_full_scan() {
        let (cursor, began) = (ClaimCursor::default(), Instant::now());
        claim_all(&cursor, began, &[(10, 0.0), (20, 1.1)]);
        let now = after(began, 11.2);
        let early = cursor.start(now);
        cursor.reset();
        cursor.claimed(early, None, true, now);
        assert_eq!(cursor.start(now).after, 0);
    }

    #[test]
    fn a_lower_priority_restarts_the_cursor_and_a_higher_one_does_not() {
        let (cursor, began) = (ClaimCursor::default(), Instant::now());
        claim_all(&cursor, began, &[(10, 0.0), (20, 1.1)]);
        let now = after(began, 1.2);
        let priority_and_start = || (cursor.start(now).priority, cursor.start(now).after);
        cursor.claimed(cursor.start(now), Some((5, 99)), true, now);
        assert_eq!(priority_and_start(), (0, 10));
        cursor.claimed(cursor.start(now), Some((-1, 100)), true, now);
        assert_eq!(priority_and_start(), (-1, 0));
    }
}
