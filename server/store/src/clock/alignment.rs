//! The arithmetic of following another clock. Knows nothing of where either comes from.

use api::TimeMs;

/// A clock that is behind by less than this waits until the time that it has shown comes round.
const MOST_HELD_MS: i64 = 5_000;

/// What a local count of milliseconds, which only goes forward, is in the time of another clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    /// What is added to the local count.
    offset_ms: i64,
    /// Shown until the sum is beyond it.
    floor_ms: i64,
    /// Whether the other clock was ever asked.
    is_aligned: bool,
}

/// One look at the other clock: the local count before it was asked and after it had answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) asked_ms: i64,
    pub(super) answered_ms: i64,
    pub(super) theirs: TimeMs,
}

impl Alignment {
    /// With no other clock yet.
    pub(super) fn starting_at(local_ms: i64, time: TimeMs) -> Self {
        Self { offset_ms: time.0 - local_ms, floor_ms: i64::MIN, is_aligned: false }
    }

    pub(super) fn time_at(&self, local_ms: i64) -> TimeMs {
        TimeMs((local_ms + self.offset_ms).max(self.floor_ms))
    }

    /// From now on as the look says. Returns by how many milliseconds this was wrong: below 0 where it was ahead.
    ///
    /// The other clock was read at some moment while it was asked: whatever agrees with one of these moments is not
    /// known to be wrong, and is left as it is, so that a slow answer moves nothing. What is wrong is set to the middle.
    ///
    /// Forward it is set at once. Back by a little it stands still until the time that it has shown comes round: nothing that
    /// was over begins again. Back by much it steps: a lease must be over at the same time for all who
    /// share the database, and one that stood still for hours would neither renew its own nor find those of others.
    /// That machines agree matters more than that one of them never sees an hour twice.
    pub(super) fn align(&mut self, look: Look) -> i64 {
        let Look { asked_ms, answered_ms, theirs } = look;
        let possible = theirs.0 - answered_ms..=theirs.0 - asked_ms;
        if self.is_aligned && possible.contains(&self.offset_ms) {
            return 0;
        }
        let offset_ms = theirs.0 - (asked_ms + (answered_ms - asked_ms) / 2);
        let wrong_by_ms = offset_ms - self.offset_ms;
        // Nothing was decided by the time before the first look.
        let may_hold = self.is_aligned && wrong_by_ms > -MOST_HELD_MS;
        let floor_ms = if may_hold { self.time_at(answered_ms).0 } else { i64::MIN };
        *self = Self { offset_ms, floor_ms, is_aligned: true };
        wrong_by_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: TimeMs = TimeMs(1_700_000_000_000);

    fn at(ms: i64) -> TimeMs {
        TimeMs(NOON.0 + ms)
    }

    fn look(asked_ms: i64, answered_ms: i64, theirs: TimeMs) -> Look {
        Look { asked_ms, answered_ms, theirs }
    }

    /// Aligned at the local count 0 with a clock that shows noon.
    fn aligned() -> Alignment {
        let mut alignment = Alignment::starting_at(0, NOON);
        assert_eq!(alignment.align(look(0, 0, NOON)), 0);
        alignment
    }

    #[test]
    fn alone_it_counts_from_its_start() {
        let alignment = Alignment::starting_at(70, NOON);
        assert_eq!((alignment.time_at(70), alignment.time_at(1_070)), (NOON, at(1_000)));
    }

    #[test]
    fn the_first_look_sets_it_however_wrong_it_was() {
        for hours in [-5, 5] {
            let mut alignment = Alignment::starting_at(0, at(hours * 3_600_000));
            assert_eq!(alignment.align(look(0, 10, NOON)), -hours * 3_600_000 - 5);
            assert_eq!(alignment.time_at(10), at(5), "half of the way has passed since");
        }
    }

    #[test]
    fn what_may_be_right_is_left_alone() {
        for (asked, answered, theirs) in [(1_000, 1_000, 1_000), (1_000, 1_040, 1_040), (1_000, 9_000, 1_001)] {
            let mut alignment = aligned();
            assert_eq!(alignment.align(look(asked, answered, at(theirs))), 0);
            assert_eq!(alignment, aligned());
        }
    }

    #[test]
    fn what_is_behind_goes_forward_at_once() {
        let mut alignment = aligned();
        assert_eq!(alignment.align(look(1_000, 1_020, at(4_010))), 3_000);
        assert_eq!(alignment.time_at(1_020), at(4_020));
    }

    #[test]
    fn what_is_a_little_ahead_stands_still() {
        let mut alignment = aligned();
        assert_eq!(alignment.align(look(5_000, 5_000, at(3_000))), -2_000);
        assert_eq!([5_000, 6_999, 7_001].map(|ms| alignment.time_at(ms)), [at(5_000), at(5_000), at(5_001)]);
        // Once more while it stands: it does not forget what it has shown.
        assert_eq!(alignment.align(look(6_000, 6_000, at(3_500))), -500);
        assert_eq!([6_000, 7_400, 7_501].map(|ms| alignment.time_at(ms)), [at(5_000), at(5_000), at(5_001)]);
    }

    #[test]
    fn what_is_far_ahead_steps_back() {
        let mut alignment = aligned();
        assert_eq!(alignment.align(look(3_600_000, 3_600_000, at(10))), -3_599_990);
        assert_eq!(alignment.time_at(3_600_000), at(10));
    }
}
