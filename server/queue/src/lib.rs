//! The apalis backend over the store's queue verbs: claims, leases, retries, outcomes.
//!
//! [`open`] gives two halves. The [`Dispatcher`] talks to the store: it claims as many jobs as
//! there are free slots, keeps their leases, and stores what came of them. The [`JobBackend`]
//! is what an apalis worker polls. Between them go two bounded channels, and whatever becomes
//! of the database, of a handler or of a payload, the worker sees neither error nor end.

mod attempt;
mod backend;
mod dispatcher;
mod held;
mod layer;
mod payload;
mod settings;

use std::sync::Arc;

use store::{Clock, Queue};
use tokio::sync::mpsc;

pub use attempt::{Attempt, JobError};
pub use backend::JobBackend;
pub use dispatcher::Dispatcher;
pub use layer::{AttemptLayer, AttemptService};
pub use payload::{Payload, decode, encode};
pub use settings::{Backoff, Settings};

/// Connects a worker-to-be with the queue. Run the dispatcher beside the worker.
#[must_use]
pub fn open(queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, settings: Settings) -> (Dispatcher, JobBackend) {
    // A slot is taken from the claim until the outcome is stored, so neither channel can ever be full.
    let (job_sender, job_receiver) = mpsc::channel(settings.slots);
    let (outcome_sender, outcome_receiver) = mpsc::channel(settings.slots);
    let layer = AttemptLayer::new(clock.clone(), &settings, outcome_sender);
    let dispatcher = Dispatcher::new(queue, clock, settings, job_sender, outcome_receiver);
    (dispatcher, JobBackend::new(job_receiver, layer))
}
