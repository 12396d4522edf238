//! The waiting lab's engine: the same work in sequence, on threads and asynchronously. Knows nothing of databases, jobs
//! or pages.
//!
//! Begin with [`fetch()`]. docs/lab.md explains it.

mod country;
pub mod executor;
mod fetch;
mod target;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use api::{LabEvent, LabFact, LabSummary, LabTrace};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

pub use country::{CountryCode, NoCountryCode, flag};
pub use fetch::{Body, FetchPlan, fetch};
pub use target::{Target, WrongTarget};

/// The events of a run, in order. Ends when the last [`EventSink`] is dropped.
pub type Events = UnboundedReceiver<LabEvent>;

/// Emits a run's events with their times, and sums them up. Cheap to clone, and usable from threads and tasks.
#[derive(Clone, Debug)]
pub struct EventSink {
    began: Instant,
    events: UnboundedSender<LabEvent>,
    trace: Arc<Mutex<LabTrace>>,
}

impl EventSink {
    /// For a run that begins now. The channel can be unbounded, because a run has only a few events for each item.
    pub fn begin() -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { began: Instant::now(), events: sender, trace: Arc::default() }, receiver)
    }

    /// Emits a fact. Without a receiver, it is only counted in the summary.
    pub fn emit(&self, what: LabFact) {
        let event = LabEvent { at_us: self.elapsed_us(), what };
        self.trace().apply(event.clone());
        let _ = self.events.send(event);
    }

    /// The run's figures, as far as it has come.
    pub fn summary(&self) -> LabSummary {
        self.trace().summary()
    }

    /// The items that have not ended.
    pub fn open_items(&self) -> Vec<u32> {
        (0..).zip(&self.trace().items).filter(|(_, item)| item.ended_us.is_none()).map(|(number, _)| number).collect()
    }

    /// No code panics while it holds the lock, so a poisoned lock's value is intact.
    fn trace(&self) -> MutexGuard<'_, LabTrace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the run began.
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
