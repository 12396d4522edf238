//! The apalis worker over the store's queue verbs: claims, leases, retries, outcomes.
//!
//! [`run`] runs jobs until it is told to stop. Inside are two halves. The `Dispatcher` talks to
//! the store: it claims as many jobs as there are free slots, keeps their leases, and stores
//! what came of them. The `JobBackend` is what an apalis worker polls. Between them go two
//! bounded channels, and whatever becomes of the database, of a handler or of a payload, the
//! worker sees neither error nor end.
//!
//! apalis is named in here and nowhere else.

mod attempt;
mod backend;
mod dispatcher;
mod held;
mod layer;
mod payload;
mod settings;
mod worker;

pub use attempt::{JobError, JobOutcome};
pub use payload::{Payload, decode, encode};
pub use settings::{Backoff, Settings};
pub use worker::run;
