//! Time, passed in so that tests can hold it.

use std::time::Duration;

use api::TimeMs;
use async_trait::async_trait;
use tokio::time::Instant;

/// Two clocks, because they answer different questions.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The wall clock: what people read. May jump either way at any time.
    fn wall(&self) -> TimeMs;

    /// For leases, backoff and schedules: starts at the wall clock's time and then only goes
    /// forward, second by second, whatever becomes of the wall clock.
    fn steady(&self) -> TimeMs;

    /// Returns once [`Clock::steady`] has reached `time`.
    async fn sleep_until(&self, time: TimeMs);
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    started_at: TimeMs,
}

impl SystemClock {
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), started_at: system_time() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn wall(&self) -> TimeMs {
        system_time()
    }

    fn steady(&self) -> TimeMs {
        self.started_at.after(self.started.elapsed())
    }

    async fn sleep_until(&self, time: TimeMs) {
        let wait_ms = u64::try_from(time.since(self.steady())).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
fn system_time() -> TimeMs {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    TimeMs(0).after(since_epoch)
}
