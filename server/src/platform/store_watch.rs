//! Whether the store answers, as those see it who write to it.

use std::sync::Arc;

use api::{StoreFault, TimeMs};
use store::{Clock, StoreError};
use tokio::sync::watch;

pub struct StoreWatch {
    clock: Arc<dyn Clock>,
    fault: watch::Sender<Option<Fault>>,
}

/// A failure that has not been followed by a success yet.
#[derive(Clone, Debug)]
pub struct Fault {
    pub error: StoreError,
    /// When the first of its row was seen, by the wall clock.
    pub since: TimeMs,
}

impl Fault {
    #[must_use]
    pub fn shown(&self) -> StoreFault {
        StoreFault { kind: self.error.kind(), detail: self.error.detail().to_owned(), since: self.since }
    }
}

impl StoreWatch {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, fault: watch::Sender::new(None) }
    }

    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault.borrow().clone()
    }

    /// Tells of each change of [`StoreWatch::fault`].
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Fault>> {
        self.fault.subscribe()
    }

    /// Until the store is known to answer again, searches go to the spool at once.
    pub fn failed(&self, error: StoreError) {
        self.fault.send_if_modified(|fault| {
            let is_news = fault.as_ref().is_none_or(|known| known.error != error);
            if is_news {
                tracing::warn!(%error, "the store does not answer: searches are kept in the spool");
                let since = fault.as_ref().map_or_else(|| self.clock.wall(), |known| known.since);
                *fault = Some(Fault { error, since });
            }
            is_news
        });
    }

    pub fn answered(&self) {
        self.fault.send_if_modified(|fault| {
            let is_news = fault.take().is_some();
            if is_news {
                tracing::info!("the store answers again");
            }
            is_news
        });
    }
}
