//! Server functions for the audit.

use api::{AuditApi, AuditId, AuditPage, Role};
use async_trait::async_trait;

use super::AuditService;
use crate::platform::error::Error;
use crate::platform::server_functions::{ApiResult, Call};

/// The most entries on one page.
const PAGE: u32 = 50;

#[async_trait]
impl AuditApi for Call<AuditService> {
    async fn audit(&self, before: Option<AuditId>) -> ApiResult<AuditPage> {
        self.caller.require(Role::Admin)?;
        Ok(self.service.store.audit(before, PAGE).await.map_err(Error::from)?)
    }
}
