//! How rooms find the search of a receipt without knowing the room that makes receipts.

use std::sync::Arc;

use api::{Receipt, SearchId};

/// The search of a receipt. `None` if the text cannot be a receipt.
pub type SearchOfReceipt = Arc<dyn Fn(&Receipt) -> Option<SearchId> + Send + Sync>;
