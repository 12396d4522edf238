//! Which tasks are ill, and how.

use api::DatabaseSpec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Healthy,
    /// Its statement fails.
    Failing,
    /// It panics while it holds its connection.
    Panicking,
    /// It is aborted while it holds its connection.
    Aborted,
}

/// Of each hundred tasks, how many have which fate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fates {
    failing: u32,
    panicking: u32,
    aborted: u32,
}

/// Has no divisor in common with a hundred: so it scatters the ill ones, and meets each number once in a hundred.
const STRIDE: u64 = 37;

impl From<&DatabaseSpec> for Fates {
    fn from(spec: &DatabaseSpec) -> Self {
        Self { failing: spec.failing, panicking: spec.panicking, aborted: spec.aborted }
    }
}

impl Fates {
    pub(super) fn of(self, item: u32) -> Fate {
        let place = u64::from(item) * STRIDE % 100;
        let failing = u64::from(self.failing);
        let panicking = failing + u64::from(self.panicking);
        let aborted = panicking + u64::from(self.aborted);
        match place {
            place if place < failing => Fate::Failing,
            place if place < panicking => Fate::Panicking,
            place if place < aborted => Fate::Aborted,
            _ => Fate::Healthy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(fates: Fates, fate: Fate) -> usize {
        (700..800).filter(|item| fates.of(*item) == fate).count()
    }

    #[test]
    fn of_each_hundred_tasks_so_many_are_ill_as_was_asked_for() {
        let fates = Fates { failing: 5, panicking: 7, aborted: 11 };
        let counts = [Fate::Failing, Fate::Panicking, Fate::Aborted, Fate::Healthy].map(|fate| count(fates, fate));
        assert_eq!(counts, [5, 7, 11, 77]);
        let all = Fates { failing: 50, panicking: 50, aborted: 0 };
        assert_eq!(count(all, Fate::Healthy), 0);
    }

    #[test]
    fn the_ill_ones_do_not_stand_in_a_row() {
        let fates = Fates { failing: 5, panicking: 5, aborted: 5 };
        assert!(
            (0..100).filter(|item| fates.of(*item) != Fate::Healthy && fates.of(item + 1) != Fate::Healthy).count() < 4
        );
    }
}
