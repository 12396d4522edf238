//! The audit: what people have commanded.

use api::{AuditEntry, AuditId, AuditPage, JobId, TimeMs};
use async_trait::async_trait;

use crate::Result;
use crate::codec::audit_action;
use crate::page::cut;

/// Entries are added by the commands themselves, and never change.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// At most `limit` entries, newest first, older than `before`.
    async fn audit(&self, before: Option<AuditId>, limit: u32) -> Result<AuditPage>;

    /// What people have commanded about this job, oldest first. It may be deleted by now.
    async fn audit_of_job(&self, id: JobId) -> Result<Vec<AuditEntry>>;
}

/// A row of the table `audit`.
pub struct AuditRow {
    pub id: i64,
    pub at_ms: i64,
    pub by_name: Option<String>,
    pub ip: String,
    pub action: String,
    pub job_id: Option<i64>,
    pub target: String,
    pub detail: Option<String>,
}

impl AuditRow {
    pub fn entry(self) -> Result<AuditEntry> {
        Ok(AuditEntry {
            id: AuditId(self.id),
            at: TimeMs(self.at_ms),
            by: self.by_name,
            ip: self.ip,
            action: audit_action(&self.action)?,
            job: self.job_id.map(JobId),
            target: self.target,
            detail: self.detail,
        })
    }
}

/// Keeps the first `limit` entries. One more was read, to know whether another page follows.
pub fn cut_audit(entries: Vec<AuditEntry>, limit: u32) -> AuditPage {
    let (entries, next) = cut(entries, limit, |entry| entry.id);
    AuditPage { entries, next }
}
