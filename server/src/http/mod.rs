//! HTTP: routes, guards, streams and files.

mod admin_guard;
mod assets;
mod body;
pub mod cookies;
mod error;
mod event_stream;
mod headers;
mod health;
mod job_events;
mod log_stream;
mod origin_guard;
mod panics;
mod parameters;
mod receipts;
mod router;
mod server_functions;
mod session_watch;
mod system_events;

pub use assets::has_client;
pub use error::from_store;
pub use router::router;
