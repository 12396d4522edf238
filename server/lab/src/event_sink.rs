//! Tells what happens in a run, with the time at which it did.

use std::time::Instant;

use api::{LabEvent, LabFact};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a run tells, in the order in which it was told. Ends when the last [`EventSink`] is gone.
pub type Events = UnboundedReceiver<LabEvent>;

/// The sending side: cheap to clone, never waits, usable from threads and from tasks. Where nobody listens any more,
/// what is told is lost.
#[derive(Clone, Debug)]
pub struct EventSink {
    began: Instant,
    events: UnboundedSender<LabEvent>,
}

impl EventSink {
    /// For a run that begins now. What it tells is bounded by its items, a handful of events each.
    #[must_use]
    pub fn begin() -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { began: Instant::now(), events: sender }, receiver)
    }

    /// Returns the time that goes with it, in microseconds since the run began.
    pub fn emit(&self, what: LabFact) -> u64 {
        let at_us = self.elapsed_us();
        let _ = self.events.send(LabEvent { at_us, what });
        at_us
    }

    /// Microseconds since the run began.
    #[must_use]
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
