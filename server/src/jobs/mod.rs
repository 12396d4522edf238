//! Jobs and their kinds, as administrators see and control them.

mod actions;
pub(crate) mod http;
pub mod scan;
mod view;

use std::sync::Arc;

use store::{Clock, SearchRecord, Store, StoredJob};

use crate::platform::job::LocalWorker;
use crate::platform::receipt_lookup::SearchOfReceipt;

/// The search that a job records, if it records one.
pub type SearchOf = fn(&StoredJob) -> Option<SearchRecord>;

pub(crate) use view::summary;

pub struct JobService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// `None` if this process runs no jobs.
    pub worker: Option<LocalWorker>,
    pub search_of: SearchOf,
    pub search_of_receipt: SearchOfReceipt,
}
