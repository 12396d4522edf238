//! The log: reading it, following it, and writing it out.

pub mod export;
pub(crate) mod http;
mod scan;

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use store::{Clock, Store};

use crate::platform::receipt_lookup::SearchOfReceipt;

pub struct LogService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub search_of: SearchOfReceipt,
    /// Exports that are being sent now.
    pub exports: Gauge,
}
