//! The waiting lab's engine: the same work in sequence, on threads and asynchronously. Knows nothing of databases, jobs
//! or pages.
//!
//! Begin with [`fetch()`]. docs/lab.md explains it.

mod country;
pub mod executor;
mod fetch;
mod target;

use std::time::Instant;

use api::{LabEvent, LabFact};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

pub use country::{CountryCode, NoCountryCode, flag};
pub use fetch::{Body, FetchPlan, fetch};
pub use target::{Target, WrongTarget};

/// The events of a run, in order. Ends when the last [`EventSink`] is dropped.
pub type Events = UnboundedReceiver<LabEvent>;

/// Emits a run's events with their times. Cheap to clone, never blocks, and usable from threads and tasks.
#[derive(Clone, Debug)]
pub struct EventSink {
    began: Instant,
    events: UnboundedSender<LabEvent>,
}

impl EventSink {
    /// For a run that begins now. The channel can be unbounded, because a run has only a few events for each item.
    pub fn begin() -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { began: Instant::now(), events: sender }, receiver)
    }

    /// Emits a fact and returns its time, in microseconds since the run began. Without a receiver, the fact is
    /// discarded.
    pub fn emit(&self, what: LabFact) -> u64 {
        let at_us = self.elapsed_us();
        let _ = self.events.send(LabEvent { at_us, what });
        at_us
    }

    /// Microseconds since the run began.
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
