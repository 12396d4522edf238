//! Shared by every feature, and independent of all of them.

pub(crate) mod accept;
pub mod assets;
pub mod caller;
pub(crate) mod direct;
pub mod error;
pub mod extract;
pub mod forwarded;
pub(crate) mod inert;
pub mod job;
pub(crate) mod layers;
pub mod limits;
mod line_queue;
pub mod logging;
pub(crate) mod origin_guard;
pub mod output;
pub mod random;
pub mod receipt_lookup;
pub mod server_functions;
pub mod sse;
pub mod store_watch;
pub mod transport;
