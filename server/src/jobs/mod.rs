//! The jobs: one file each, composed into a worker.

mod log_request;
mod probe;
mod reporter;
mod worker;

pub use log_request::LogRequest;
pub use probe::Probe;
pub(crate) use reporter::{Report, Reporter};
pub use worker::{JobEnvironment, LONGEST_BACKOFF, run_worker, worker_settings};
