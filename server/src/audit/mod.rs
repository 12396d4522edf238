//! The audit: the commands that people have given, for administrators to read.

mod http;

use std::sync::Arc;

use store::Store;

pub struct AuditService {
    pub store: Arc<dyn Store>,
}
