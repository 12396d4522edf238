//! The log: reading it, following it, and writing it out.

pub mod export;
pub(crate) mod http;
mod inert;
mod scan;

use std::sync::Arc;

use api::{Receipt, SearchId};
use prometheus_client::metrics::gauge::Gauge;
use store::{Clock, Store};

pub struct LogService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// The search of a receipt.
    pub search_of: Box<dyn Fn(&Receipt) -> Option<SearchId> + Send + Sync>,
    /// Exports that are being sent now.
    pub exports: Gauge,
}
