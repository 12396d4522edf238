//! The jobs: one file each, composed into a worker.

mod lab_run;
mod log_request;
mod probe;
mod reporter;
mod worker;

pub use lab_run::LabRun;
pub use log_request::LogRequest;
pub use probe::Probe;
pub use worker::{JobEnvironment, LONGEST_BACKOFF, run_worker, worker_settings};
