//! A search on its way into the log: accepted, kept, followed and written.

pub(crate) mod accept;
pub(crate) mod browser_family;
pub(crate) mod http;
pub mod ingest;
pub mod log_request;
pub mod receipt;
mod replay;
pub mod replay_batch;
