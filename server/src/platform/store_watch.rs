//! Whether the store answers, as its writers see it.

use std::sync::Arc;

use api::{StoreFault, TimeMs};
use store::{Clock, StoreError};
use tokio::sync::watch;

pub struct StoreWatch {
    clock: Arc<dyn Clock>,
    fault: watch::Sender<Option<Fault>>,
}

/// A store failure that no success has followed yet.
#[derive(Clone, Debug)]
pub struct Fault {
    pub error: StoreError,
    /// When the first of these failures was seen, by the wall clock.
    pub since: TimeMs,
}

impl Fault {
    pub fn to_view(&self) -> StoreFault {
        StoreFault { kind: self.error.kind(), detail: self.error.detail().to_owned(), since: self.since }
    }
}

impl StoreWatch {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, fault: watch::Sender::new(None) }
    }

    pub fn fault(&self) -> Option<Fault> {
        self.fault.borrow().clone()
    }

    /// Follows [`StoreWatch::fault`].
    pub fn subscribe(&self) -> watch::Receiver<Option<Fault>> {
        self.fault.subscribe()
    }

    /// Until the store is known to answer again, searches go to the spool at once.
    pub fn failed(&self, error: StoreError) {
        self.fault.send_if_modified(|fault| {
            let changed = fault.as_ref().is_none_or(|known| known.error != error);
            if changed {
                tracing::warn!(%error, "the store does not answer: searches are kept in the spool");
                let since = fault.as_ref().map_or_else(|| self.clock.wall(), |known| known.since);
                *fault = Some(Fault { error, since });
            }
            changed
        });
    }

    pub fn answered(&self) {
        self.fault.send_if_modified(|fault| {
            let changed = fault.take().is_some();
            if changed {
                tracing::info!("the store answers again");
            }
            changed
        });
    }
}
