//! What every feature stands on, and that knows none of them.

pub mod assets;
mod body;
pub mod caller;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod headers;
pub mod logging;
pub(crate) mod network;
pub(crate) mod origin_guard;
pub(crate) mod panics;
pub mod random;
pub(crate) mod rate_counter;
pub(crate) mod reporter;
pub(crate) mod server_functions;
pub mod sse;
pub mod store_watch;
pub(crate) mod time_limit;
pub mod token;
pub mod transport;
