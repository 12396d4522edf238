//! How many callers wait for a pooled connection, and how long they have waited.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use api::PoolState;
use tokio::time::Instant;

/// The waits for the connections of one pool. Only for display, so relaxed ordering is enough.
#[derive(Debug, Default)]
pub struct Waits {
    now: AtomicU32,
    ever: AtomicU64,
    longest_ms: AtomicU64,
}

impl Waits {
    /// The state of a pool of at most `max` connections, of which `size` are open.
    pub fn pool_state(&self, size: u32, idle: usize, max: u32) -> PoolState {
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        PoolState {
            in_use: size.saturating_sub(idle),
            idle,
            max,
            waiting: self.now.load(Ordering::Relaxed),
            waits: self.ever.load(Ordering::Relaxed),
            longest_wait_ms: self.longest_ms.load(Ordering::Relaxed),
        }
    }
}

/// Counts as one waiting caller until it is dropped, even if the caller gives up.
#[derive(Debug)]
pub struct Wait<'a> {
    waits: &'a Waits,
    began: Instant,
}

impl<'a> Wait<'a> {
    pub fn begin(waits: &'a Waits) -> Self {
        waits.now.fetch_add(1, Ordering::Relaxed);
        waits.ever.fetch_add(1, Ordering::Relaxed);
        Self { waits, began: Instant::now() }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let waited_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waits.now.fetch_sub(1, Ordering::Relaxed);
        self.waits.longest_ms.fetch_max(waited_ms, Ordering::Relaxed);
    }
}
