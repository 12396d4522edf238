//! Tells what happens in a run, with the time at which it did.

use std::time::Instant;

use api::{LabEvent, LabFact};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a run tells, in the order in which it was told. Ends when the last [`Teller`] is gone.
pub type Telling = UnboundedReceiver<LabEvent>;

/// The sending side: cheap to clone, never waits, usable from threads and from tasks. Where nobody listens any more,
/// what is told is lost.
#[derive(Clone, Debug)]
pub struct Teller {
    began: Instant,
    events: UnboundedSender<LabEvent>,
}

impl Teller {
    /// For a run that begins now. What it tells is bounded by its items, a handful of events each.
    #[must_use]
    pub fn begin() -> (Self, Telling) {
        let (events, telling) = mpsc::unbounded_channel();
        (Self { began: Instant::now(), events }, telling)
    }

    /// Returns the time that goes with it, in microseconds since the run began.
    pub fn tell(&self, what: LabFact) -> u64 {
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
