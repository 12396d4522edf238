//! HTTP: routes, guards, streams and files.

mod activity;
mod admin_guard;
mod assets;
mod body;
mod connection;
mod connections;
pub mod cookies;
mod error;
pub(crate) mod event_stream;
mod headers;
mod health;
pub(crate) mod inert_json;
mod job_events;
mod log_export;
mod log_stream;
mod open_files;
mod origin_guard;
mod panics;
pub(crate) mod parameters;
mod receipts;
mod router;
mod server_functions;
mod session_watch;
mod system_events;
mod time_limit;

pub use assets::has_client;
pub use connections::serve;
pub use error::{ErrorResponse, from_store};
pub use event_stream::EventStreams;
pub use open_files::{connections_that_fit, raise_open_files};
pub use parameters::Parameters;
pub use router::router;
