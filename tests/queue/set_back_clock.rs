//! A clock that follows another and is set back with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::TimeMs;
use async_trait::async_trait;
use store::Clock;
use tests::HeldClock;

pub struct SetBackClock {
    seconds: Arc<HeldClock>,
    back_ms: AtomicI64,
}

impl SetBackClock {
    pub fn of(seconds: Arc<HeldClock>) -> Self {
        Self { seconds, back_ms: AtomicI64::new(0) }
    }

    pub fn set_back(&self, by: Duration) {
        self.back_ms.fetch_add(TimeMs(0).after(by).0, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for SetBackClock {
    fn wall(&self) -> TimeMs {
        self.seconds.wall()
    }

    fn steady(&self) -> TimeMs {
        TimeMs(self.seconds.steady().0 - self.back_ms.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, time: TimeMs) {
        let then = time.0.saturating_add(self.back_ms.load(Ordering::SeqCst));
        self.seconds.sleep_until(TimeMs(then)).await;
    }
}
