//! The audit: each command adds its entry in its own statement.

use api::{AuditEntry, AuditId, AuditPage, JobId};
use async_trait::async_trait;
use store::{Audit, AuditRow, Result, cut_audit};

use crate::PostgresStore;

#[async_trait]
impl Audit for PostgresStore {
    async fn audit(&self, before: Option<AuditId>, limit: u32) -> Result<AuditPage> {
        let (before, one_more) = (before.map_or(i64::MAX, |AuditId(id)| id), i64::from(limit) + 1);
        let rows = sqlx::query_as!(
            AuditRow,
            "select id, at_ms, by_name, ip, action, job_id, target, detail
               from audit where id < $1 order by id desc limit $2",
            before,
            one_more
        );
        let entries: Result<Vec<_>> =
            self.connections.fetch_all(rows).await?.into_iter().map(AuditRow::entry).collect();
        Ok(cut_audit(entries?, limit))
    }

    async fn audit_of_job(&self, id: JobId) -> Result<Vec<AuditEntry>> {
        let rows = sqlx::query_as!(
            AuditRow,
            "select id, at_ms, by_name, ip, action, job_id, target, detail
               from audit where job_id = $1 order by id",
            id.0
        );
        self.connections.fetch_all(rows).await?.into_iter().map(AuditRow::entry).collect()
    }
}
