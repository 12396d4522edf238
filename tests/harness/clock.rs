//! A clock that stands still until a test moves it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::TimeMs;
use async_trait::async_trait;
use store::Clock;
use tokio::sync::{Notify, watch};

/// The time of a sleep that only a wake-up ends.
const NEVER: TimeMs = TimeMs(i64::MAX);

/// Both of a store's clocks, held. They start at the same point in time.
#[derive(Debug)]
pub struct HeldClock {
    steady_ms: AtomicI64,
    /// Wakes sleepers in the order in which they fell asleep.
    moved: Notify,
    /// How far the wall clock is ahead of the steady one.
    wall_lead_ms: AtomicI64,
    /// How many tasks sleep until each time, so that a test can wait for a sleeper.
    sleepers: watch::Sender<BTreeMap<TimeMs, usize>>,
}

impl HeldClock {
    pub fn at(start: TimeMs) -> Self {
        Self {
            steady_ms: AtomicI64::new(start.0),
            moved: Notify::new(),
            wall_lead_ms: AtomicI64::new(0),
            sleepers: watch::Sender::new(BTreeMap::new()),
        }
    }

    /// Moves both clocks forward and wakes the sleepers whose time has come.
    pub fn advance(&self, by: Duration) {
        let later_ms = |now_ms| Some(TimeMs(now_ms).after(by).0);
        self.steady_ms
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, later_ms)
            .expect("there is always a later time");
        self.moved.notify_waiters();
    }

    /// Sets only the wall clock, as an operator or a time server may do.
    pub fn set_wall(&self, wall: TimeMs) {
        self.wall_lead_ms.store(wall.0 - self.steady().0, Ordering::SeqCst);
    }

    /// Returns as soon as a task sleeps until exactly `time`.
    pub async fn task_sleeps_until(&self, time: TimeMs) {
        self.wait_for_sleepers(|sleepers| sleepers.contains_key(&time)).await;
    }

    /// Returns as soon as a task sleeps, with the earliest time at which one will wake.
    pub async fn task_sleeps(&self) -> TimeMs {
        let sleepers = self.wait_for_sleepers(|sleepers| !sleepers.is_empty()).await;
        *sleepers.keys().next().expect("the wait ends only once there is a sleeper")
    }

    /// Returns as soon as a task sleeps until some time, with the earliest such time.
    pub async fn next_alarm(&self) -> TimeMs {
        let sleepers = self.wait_for_sleepers(|sleepers| sleepers.keys().any(|time| *time < NEVER)).await;
        *sleepers.keys().next().expect("the wait ends only once there is a sleeper")
    }

    /// Returns as soon as no task sleeps.
    pub async fn no_task_sleeps(&self) {
        self.wait_for_sleepers(BTreeMap::is_empty).await;
    }

    async fn wait_for_sleepers(&self, met: impl FnMut(&BTreeMap<TimeMs, usize>) -> bool) -> BTreeMap<TimeMs, usize> {
        let mut sleepers = self.sleepers.subscribe();
        let sleepers = sleepers.wait_for(met).await.expect("the clock holds the sending side");
        sleepers.clone()
    }
}

#[async_trait]
impl Clock for HeldClock {
    fn wall(&self) -> TimeMs {
        TimeMs(self.steady().0 + self.wall_lead_ms.load(Ordering::SeqCst))
    }

    fn steady(&self) -> TimeMs {
        TimeMs(self.steady_ms.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, time: TimeMs) {
        let _sleeper = Sleeper::begin(&self.sleepers, time);
        loop {
            // Registered before the time is read, so that no move between the two is missed.
            let moved = self.moved.notified();
            if self.steady() >= time {
                return;
            }
            moved.await;
        }
    }
}

/// Counts a sleeper until it is dropped, even if its sleep is cancelled.
struct Sleeper<'a> {
    sleepers: &'a watch::Sender<BTreeMap<TimeMs, usize>>,
    time: TimeMs,
}

impl<'a> Sleeper<'a> {
    fn begin(sleepers: &'a watch::Sender<BTreeMap<TimeMs, usize>>, time: TimeMs) -> Self {
        sleepers.send_modify(|sleepers| *sleepers.entry(time).or_default() += 1);
        Self { sleepers, time }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.sleepers.send_modify(|sleepers| {
            let count = sleepers.get_mut(&self.time).expect("counted when it began");
            *count -= 1;
            if *count == 0 {
                sleepers.remove(&self.time);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_is_reached_and_not_before() {
        let clock = Arc::new(HeldClock::at(TimeMs(1_000)));
        let sleep = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep_until(TimeMs(1_500)).await }
        });
        clock.task_sleeps_until(TimeMs(1_500)).await;
        clock.advance(Duration::from_millis(499));
        tokio::task::yield_now().await;
        assert_eq!(clock.task_sleeps().await, TimeMs(1_500));
        clock.advance(Duration::from_millis(1));
        sleep.await.expect("the sleeper does not panic");
        clock.no_task_sleeps().await;
    }

    #[tokio::test]
    async fn a_cancelled_sleep_is_forgotten() {
        let clock = HeldClock::at(TimeMs(0));
        let cancelled = tokio::time::timeout(Duration::ZERO, clock.sleep_until(TimeMs(9))).await;
        assert!(cancelled.is_err());
        clock.no_task_sleeps().await;
    }

    #[test]
    fn the_wall_clock_jumps_alone() {
        let clock = HeldClock::at(TimeMs(5_000));
        clock.set_wall(TimeMs(1_000));
        clock.advance(Duration::from_secs(1));
        assert_eq!((clock.wall(), clock.steady()), (TimeMs(2_000), TimeMs(6_000)));
    }
}
