//! The arithmetic of following another clock. Knows nothing of where the times are read.

use api::TimeMs;

/// A clock that is ahead by less than this stands still until the other has caught up.
const MOST_HELD_MS: i64 = 5_000;

/// Translates a local count of milliseconds, which only goes forward, into the time of another clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    /// What is added to the local count.
    offset_ms: i64,
    /// The time does not go below this.
    floor_ms: i64,
    /// Whether the other clock was ever read.
    is_aligned: bool,
}

/// One reading of the other clock, with the local count before it was asked and after it had answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
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

    /// Follows the reading. Returns by how many milliseconds this clock was wrong: below 0 where it was ahead.
    ///
    /// The other clock was read at an unknown moment between question and answer. An offset that fits any of these moments
    /// is kept, so that a slow answer changes nothing; otherwise the middle is assumed.
    ///
    /// Forward it is set at once. If it is a little ahead, it stands still until the other has caught up, so that no
    /// time is passed twice. If it is far ahead, it steps back: a lease must be over at the same time for all processes
    /// that share the database, and a clock that stood still for hours would neither renew its own leases nor find those
    /// of others.
    pub(super) fn align(&mut self, reading: Reading) -> i64 {
        let Reading { asked_ms, answered_ms, theirs } = reading;
        let possible = theirs.0 - answered_ms..=theirs.0 - asked_ms;
        if self.is_aligned && possible.contains(&self.offset_ms) {
            return 0;
        }
        let offset_ms = theirs.0 - (asked_ms + (answered_ms - asked_ms) / 2);
        let wrong_by_ms = offset_ms - self.offset_ms;
        // Nothing was decided by the time before the first reading.
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

    fn reading(asked_ms: i64, answered_ms: i64, theirs: TimeMs) -> Reading {
        Reading { asked_ms, answered_ms, theirs }
    }

    /// Aligned at the local count 0 with a clock that shows noon.
    fn aligned() -> Alignment {
        let mut alignment = Alignment::starting_at(0, NOON);
        assert_eq!(alignment.align(reading(0, 0, NOON)), 0);
        alignment
    }

    #[test]
    fn without_another_clock_it_counts_from_its_start() {
        let alignment = Alignment::starting_at(70, NOON);
        assert_eq!((alignment.time_at(70), alignment.time_at(1_070)), (NOON, at(1_000)));
    }

    #[test]
    fn the_first_reading_sets_it_however_wrong_it_was() {
        for hours in [-5, 5] {
            let mut alignment = Alignment::starting_at(0, at(hours * 3_600_000));
            assert_eq!(alignment.align(reading(0, 10, NOON)), -hours * 3_600_000 - 5);
            assert_eq!(alignment.time_at(10), at(5), "half of the round trip has passed since");
        }
    }

    #[test]
    fn a_clock_that_may_be_right_is_not_changed() {
        for (asked, answered, theirs) in [(1_000, 1_000, 1_000), (1_000, 1_040, 1_040), (1_000, 9_000, 1_001)] {
            let mut alignment = aligned();
            assert_eq!(alignment.align(reading(asked, answered, at(theirs))), 0);
            assert_eq!(alignment, aligned());
        }
    }

    #[test]
    fn a_clock_that_is_behind_is_set_forward_at_once() {
        let mut alignment = aligned();
        assert_eq!(alignment.align(reading(1_000, 1_020, at(4_010))), 3_000);
        assert_eq!(alignment.time_at(1_020), at(4_020));
    }

    #[test]
    fn a_clock_that_is_a_little_ahead_stands_still() {
        let mut alignment = aligned();
        assert_eq!(alignment.align(reading(5_000, 5_000, at(3_000))), -2_000);
        assert_eq!([5_000, 6_999, 7_001].map(|ms| alignment.time_at(ms)), [at(5_000), at(5_000), at(5_001)]);
        // Once more while it stands still: it remembers the time that it has shown.
        assert_eq!(alignment.align(reading(6_000, 6_000, at(3_500))), -500);
        assert_eq!([6_000, 7_400, 7_501].map(|ms| alignment.time_at(ms)), [at(5_000), at(5_000), at(5_001)]);
    }

    #[test]
    fn a_clock_that_is_far_ahead_steps_back() {
        let mut alignment = aligned();
        assert_eq!(alignment.align(reading(3_600_000, 3_600_000, at(10))), -3_599_990);
        assert_eq!(alignment.time_at(3_600_000), at(10));
    }
}
