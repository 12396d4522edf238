//! Time, passed in so that tests can hold it.

mod alignment;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::TimeMs;
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use self::alignment::{Alignment, Look};
use crate::{Result, StoreError};

/// Two clocks, because they answer different questions.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The wall clock: what people read. May jump either way at any time.
    fn wall(&self) -> TimeMs;

    /// For leases, backoff and schedules: starts at the wall clock's time and then only goes
    /// forward, second by second, whatever becomes of the wall clock. Where several processes
    /// share a database, it is the database's time for all of them.
    fn steady(&self) -> TimeMs;

    /// Returns once [`Clock::steady`] has reached `time`; where that was set back meanwhile, once as many seconds have
    /// passed as were left until then.
    async fn sleep_until(&self, time: TimeMs);
}

const LONG: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The machine's clocks. Those who share a database must agree on when a lease is over: then the steady one follows
/// the database's clock, and the machine's own only counts the seconds in between.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    alignment: Mutex<Alignment>,
    /// Wakes sleepers, to whom it may be another time now.
    aligned: Notify,
}

impl SystemClock {
    #[must_use]
    pub fn start() -> Self {
        let alignment = Mutex::new(Alignment::starting_at(0, system_time()));
        Self { started: Instant::now(), alignment, aligned: Notify::new() }
    }

    /// Asks the database for its time, where it has one ([`crate::Store::time`]), and follows it. Returns by how many
    /// milliseconds [`Clock::steady`] was wrong: below 0 where it was ahead, 0 where it may be right.
    pub async fn follow(&self, asked: impl Future<Output = Result<Option<TimeMs>>>) -> Result<i64> {
        let asked_ms = self.local_ms();
        let Some(theirs) = asked.await? else { return Ok(0) };
        let look = Look { asked_ms, answered_ms: self.local_ms(), theirs };
        let wrong_by_ms = self.alignment().align(look);
        if wrong_by_ms != 0 {
            self.aligned.notify_waiters();
        }
        Ok(wrong_by_ms)
    }

    /// Since the start. Only goes forward.
    fn local_ms(&self) -> i64 {
        TimeMs(0).after(self.started.elapsed()).0
    }

    /// Nothing panics while it is locked, so a poisoned one is whole.
    fn alignment(&self) -> MutexGuard<'_, Alignment> {
        self.alignment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn wall(&self) -> TimeMs {
        system_time()
    }

    fn steady(&self) -> TimeMs {
        // In this order: a time that is computed from an older count than another's would go back behind it.
        let alignment = self.alignment();
        alignment.time_at(self.local_ms())
    }

    async fn sleep_until(&self, time: TimeMs) {
        let mut wake_at: Option<Instant> = None;
        loop {
            // Made before the look at the time, so that no change between the two is missed.
            let aligned = self.aligned.notified();
            let wait_ms = time.since(self.steady());
            if wait_ms <= 0 {
                return;
            }
            let now = Instant::now();
            // A time that never comes is as good as one in thirty years.
            let wait = Duration::from_millis(wait_ms.unsigned_abs()).min(LONG);
            let next = wake_at.map_or(now + wait, |wake_at| wake_at.min(now + wait));
            wake_at = Some(next);
            tokio::select! { () = sleep_until(next) => return, () = aligned => {} }
        }
    }
}

/// Waits for a store's answer at most `limit`, then fails. A write that nobody awaits any more may be done all the
/// same.
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

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[tokio::test]
    async fn without_another_clock_it_is_as_it_was() {
        let clock = SystemClock::start();
        assert_eq!(clock.follow(ready(Ok(None))).await, Ok(0));
        assert!((clock.wall().0 - clock.steady().0).abs() < HOUR_MS);
    }

    #[tokio::test]
    async fn it_follows_another_and_the_wall_clock_does_not() {
        let clock = SystemClock::start();
        for hours in [7, -7] {
            let theirs = TimeMs(clock.wall().0 + hours * HOUR_MS);
            assert_ne!(clock.follow(ready(Ok(Some(theirs)))).await, Ok(0));
            assert!((0..HOUR_MS).contains(&(clock.steady().0 - theirs.0)));
            assert!((clock.wall().0 - theirs.0).abs() > 6 * HOUR_MS);
        }
    }

    #[tokio::test]
    async fn who_sleeps_is_woken_when_the_time_has_come_by_the_other_clock() {
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
    async fn who_sleeps_when_it_is_set_back_sleeps_no_longer_than_was_meant() {
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
}
