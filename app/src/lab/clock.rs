//! What time it is in a run, between two pieces of news from it.

/// The run's own time, guessed from when its news came. All in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunClock {
    /// When the run began by the reader's clock, as the fastest news has it.
    began_us: Option<u64>,
    latest_us: u64,
}

impl RunClock {
    /// Takes note of news that tells of `at_us` in the run and came at `heard_us` by the reader's clock.
    pub fn hear(&mut self, at_us: u64, heard_us: u64) {
        let began_us = heard_us.saturating_sub(at_us);
        self.began_us = Some(self.began_us.map_or(began_us, |known| known.min(began_us)));
        self.latest_us = self.latest_us.max(at_us);
    }

    /// The run's time when the reader's clock says `read_us`; never before what was told.
    #[must_use]
    pub fn now(self, read_us: u64) -> u64 {
        let guess = self.began_us.map_or(0, |began_us| read_us.saturating_sub(began_us));
        guess.max(self.latest_us)
    }

    #[must_use]
    pub fn latest(self) -> u64 {
        self.latest_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_news_do_not_set_the_clock_back() {
        let mut clock = RunClock::default();
        assert_eq!(clock.now(5_000), 0);
        clock.hear(100, 5_000);
        assert_eq!(clock.now(5_900), 1_000);
        clock.hear(200, 6_900);
        assert_eq!(clock.now(6_900), 2_000, "the second news was slow");
        clock.hear(3_000, 7_000);
        assert_eq!(clock.now(7_000), 3_000, "the first one was slower");
    }
}
