//! Looks at the pool whenever a task has taken a connection or given it back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{LabFact, PoolState};
use lab::EventSink;
use store::Store;
use tokio::sync::Notify;
use tokio::time::sleep;

/// More often nobody could see it, and ten thousand tasks would tell of it twenty thousand times.
const TELL_EVERY: Duration = Duration::from_millis(10);

pub(super) struct PoolWatch {
    pub(super) store: Arc<dyn Store>,
    most_in_use: AtomicU32,
    most_waiting: AtomicU32,
    changed: Notify,
    /// What was told last: in use, idle, waiting.
    told: Mutex<Option<(u32, u32, u32)>>,
}

impl PoolWatch {
    pub(super) fn of(store: Arc<dyn Store>) -> Self {
        let (most_in_use, most_waiting) = (AtomicU32::new(0), AtomicU32::new(0));
        Self { store, most_in_use, most_waiting, changed: Notify::new(), told: Mutex::new(None) }
    }

    /// To be called when it may have changed.
    pub(super) fn look(&self) {
        self.state();
        self.changed.notify_one();
    }

    /// The most connections in use, and the most tasks that waited, of all looks.
    pub(super) fn peaks(&self) -> (u32, u32) {
        (self.most_in_use.load(Ordering::Relaxed), self.most_waiting.load(Ordering::Relaxed))
    }

    /// Tells of the changes for as long as it is asked for.
    pub(super) async fn keep_telling(&self, tell: &EventSink) {
        loop {
            self.changed.notified().await;
            self.tell_last(tell);
            sleep(TELL_EVERY).await;
        }
    }

    /// Tells how it is now, unless that was told last.
    pub(super) fn tell_last(&self, tell: &EventSink) {
        let PoolState { in_use, idle, waiting, .. } = self.state();
        // Nothing panics while it is locked, so a poisoned one is whole.
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).replace((in_use, idle, waiting));
        if told != Some((in_use, idle, waiting)) {
            tell.emit(LabFact::Pool { in_use, idle, waiting });
        }
    }

    fn state(&self) -> PoolState {
        let state = self.store.pool();
        self.most_in_use.fetch_max(state.in_use, Ordering::Relaxed);
        self.most_waiting.fetch_max(state.waiting, Ordering::Relaxed);
        state
    }
}
