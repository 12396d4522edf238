//! Clocks, injected so that tests can control time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::TimeMs;
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::{Result, StoreError};

/// A wall clock for display, and a steady clock for decisions.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time for display: the database's if several processes share it, and otherwise the machine's. May jump forwards
    /// or backwards at any time.
    fn wall(&self) -> TimeMs;

    /// For leases, backoff and schedules. Starts at the wall clock's time and then advances second by second, whatever
    /// happens to the wall clock. If several processes share a database, all of them follow the database's time.
    fn steady(&self) -> TimeMs;

    /// Returns once [`Clock::steady`] has reached `time`. If the clock is set back during the sleep, the sleep does not
    /// get longer.
    async fn sleep_until(&self, time: TimeMs);

    /// By how many milliseconds the machine's clock is ahead of the database's. 0 if there is only one clock.
    fn machine_ahead_ms(&self) -> i64 {
        0
    }
}

const LONG: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The machine's clocks. Processes that share a database must agree on when a lease expires: their steady clocks follow
/// the database's clock, and the machine's own only counts the seconds in between.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    alignment: Mutex<Alignment>,
    /// Wakes sleepers after the steady clock was adjusted.
    aligned: Notify,
}

impl SystemClock {
    pub fn start() -> Self {
        let alignment = Mutex::new(Alignment::starting_at(0, system_time()));
        Self { started: Instant::now(), alignment, aligned: Notify::new() }
    }

    /// Follows the database's time, if it has one: `answer` is [`crate::Store::time`]. Returns by how many milliseconds
    /// [`Clock::steady`] was wrong: negative if it was ahead, 0 if it may have been right.
    pub async fn follow(&self, answer: impl Future<Output = Result<Option<TimeMs>>>) -> Result<i64> {
        let asked_ms = self.local_ms();
        let Some(theirs) = answer.await? else { return Ok(0) };
        let reading = Reading { asked_ms, answered_ms: self.local_ms(), theirs };
        let wrong_by_ms = self.alignment().align(reading);
        if wrong_by_ms != 0 {
            self.aligned.notify_waiters();
        }
        Ok(wrong_by_ms)
    }

    /// Milliseconds since the start, from a monotonic clock.
    fn local_ms(&self) -> i64 {
        TimeMs(0).after(self.started.elapsed()).0
    }

    /// No code panics while it holds the lock, so a poisoned lock's value is intact.
    fn alignment(&self) -> MutexGuard<'_, Alignment> {
        self.alignment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn wall(&self) -> TimeMs {
        let alignment = self.alignment();
        if alignment.is_aligned { alignment.time_at(self.local_ms()) } else { system_time() }
    }

    fn steady(&self) -> TimeMs {
        // Read under the lock: a time computed from an older count could go backwards.
        let alignment = self.alignment();
        alignment.time_at(self.local_ms())
    }

    async fn sleep_until(&self, time: TimeMs) {
        let mut wake_at: Option<Instant> = None;
        loop {
            // Created before the time is read, so that no adjustment in between is missed.
            let aligned = self.aligned.notified();
            let wait_ms = time.since(self.steady());
            if wait_ms <= 0 {
                return;
            }
            let now = Instant::now();
            // Thirty years are as good as for ever.
            let wait = Duration::from_millis(wait_ms.unsigned_abs()).min(LONG);
            let next = wake_at.map_or(now + wait, |wake_at| wake_at.min(now + wait));
            wake_at = Some(next);
            tokio::select! { () = sleep_until(next) => return, () = aligned => {} }
        }
    }

    fn machine_ahead_ms(&self) -> i64 {
        if self.alignment().is_aligned { system_time().0 - self.steady().0 } else { 0 }
    }
}

/// Fails if the store does not answer within `limit`. A write that timed out may still be done.
pub async fn within<A>(clock: &dyn Clock, limit: Duration, call: impl Future<Output = Result<A>>) -> Result<A> {
    let deadline = clock.sleep_until(clock.steady().after(limit));
    tokio::select! {
        // An answer that arrives with the deadline still counts.
        biased;
        answer = call => answer,
        () = deadline => Err(StoreError::Connection(format!("no answer within {limit:?}"))),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
fn system_time() -> TimeMs {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    TimeMs(0).after(since_epoch)
}

/// A clock that is ahead by less than this stands still until the other clock has caught up.
const MOST_HELD_MS: i64 = 5_000;

/// Translates a monotonic local count of milliseconds into the time of another clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alignment {
    /// Added to the local count.
    offset_ms: i64,
    /// The lowest time to return.
    floor_ms: i64,
    /// Whether the other clock was read at least once.
    is_aligned: bool,
}

/// One reading of the other clock, with the local counts before the request and after the response.
#[derive(Clone, Copy, Debug)]
struct Reading {
    asked_ms: i64,
    answered_ms: i64,
    theirs: TimeMs,
}

impl Alignment {
    /// Before the first reading of another clock.
    fn starting_at(local_ms: i64, time: TimeMs) -> Self {
        Self { offset_ms: time.0 - local_ms, floor_ms: i64::MIN, is_aligned: false }
    }

    fn time_at(&self, local_ms: i64) -> TimeMs {
        TimeMs((local_ms + self.offset_ms).max(self.floor_ms))
    }

    /// Follows the reading. Returns by how many milliseconds this clock was wrong: negative if it was ahead.
    ///
    /// The other clock was read at an unknown moment between request and response. An offset that fits any of these
    /// moments is kept, so that a slow response changes nothing. Otherwise the middle is assumed.
    ///
    /// If this clock is behind, it steps forward. If it is a little ahead, it stands still until the other clock has
    /// caught up, so that no time occurs twice. If it is far ahead, it steps back: a lease must expire at the same time
    /// for all processes that share the database, and a process whose clock stood still for hours would neither renew its
    /// own leases nor find expired ones.
    fn align(&mut self, reading: Reading) -> i64 {
        let Reading { asked_ms, answered_ms, theirs } = reading;
        let possible = theirs.0 - answered_ms..=theirs.0 - asked_ms;
        if self.is_aligned && possible.contains(&self.offset_ms) {
            return 0;
        }
        let offset_ms = theirs.0 - (asked_ms + (answered_ms - asked_ms) / 2);
        let wrong_by_ms = offset_ms - self.offset_ms;
        // Before the first reading, no decision has used this clock.
        let may_hold = self.is_aligned && wrong_by_ms > -MOST_HELD_MS;
        let floor_ms = if may_hold { self.time_at(answered_ms).0 } else { i64::MIN };
        *self = Self { offset_ms, floor_ms, is_aligned: true };
        wrong_by_ms
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[tokio::test]
    async fn without_another_clock_it_keeps_its_time() {
        let clock = SystemClock::start();
        assert_eq!(clock.follow(ready(Ok(None))).await, Ok(0));
        assert!((clock.wall().0 - clock.steady().0).abs() < HOUR_MS);
    }

    #[tokio::test]
    async fn both_clocks_follow_another_and_say_how_far_the_machine_is_from_it() {
        let clock = SystemClock::start();
        assert_eq!(clock.machine_ahead_ms(), 0);
        for hours in [7, -7] {
            let theirs = TimeMs(system_time().0 + hours * HOUR_MS);
            assert_ne!(clock.follow(ready(Ok(Some(theirs)))).await, Ok(0));
            for time in [clock.steady(), clock.wall()] {
                assert!((0..HOUR_MS).contains(&time.since(theirs)));
            }
            assert!((clock.machine_ahead_ms() + hours * HOUR_MS).abs() < HOUR_MS);
        }
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_other_clock_reaches_its_time() {
        let clock = Arc::new(SystemClock::start());
        let time = TimeMs(clock.steady().0 + HOUR_MS);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(time).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.follow(ready(Ok(Some(time)))).await.expect("followed");
        sleeper.await.expect("it does not panic");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_prolongs_no_sleep() {
        let clock = Arc::new(SystemClock::start());
        clock.follow(ready(Ok(Some(clock.wall())))).await.expect("followed");
        let began = Instant::now();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(clock.steady().after(Duration::from_secs(60))).await }
        });
        tokio::task::yield_now().await;
        let earlier = TimeMs(clock.steady().0 - HOUR_MS);
        clock.follow(ready(Ok(Some(earlier)))).await.expect("followed");
        sleeper.await.expect("it does not panic");
        assert_eq!(began.elapsed().as_secs(), 60);
    }

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
        // A second correction while it stands still does not set it back.
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
