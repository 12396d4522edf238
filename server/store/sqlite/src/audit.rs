//! The audit: entries are added by the commands themselves.

use api::{AuditAction, AuditEntry, AuditId, AuditPage, JobId};
use async_trait::async_trait;
use store::{Audit, AuditRow, Result, Signature, cut_audit};

use crate::SqliteStore;
use crate::transaction::Transaction;

#[async_trait]
impl Audit for SqliteStore {
    async fn audit(&self, before: Option<AuditId>, limit: u32) -> Result<AuditPage> {
        let (before, one_more) = (before.map_or(i64::MAX, |AuditId(id)| id), i64::from(limit) + 1);
        let rows = sqlx::query_as!(
            AuditRow,
            r#"select id as "id!: i64", at_ms, by_name, ip, action, job_id, target, detail
               from audit where id < ?1 order by id desc limit ?2"#,
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
            r#"select id as "id!: i64", at_ms, by_name, ip, action, job_id, target, detail
               from audit where job_id = ?1 order by id"#,
            id.0
        );
        self.connections.fetch_all(rows).await?.into_iter().map(AuditRow::entry).collect()
    }
}

/// What was done, and to what.
pub(crate) struct Act<'a> {
    pub(crate) action: AuditAction,
    pub(crate) job: Option<JobId>,
    pub(crate) target: &'a str,
    pub(crate) detail: Option<String>,
}

impl Transaction<'_> {
    /// Adds an entry to the audit.
    pub(crate) async fn sign(&mut self, by: &Signature, act: Act<'_>) -> Result<()> {
        let (action, job) = (act.action.as_str(), act.job.map(|JobId(id)| id));
        self.execute(sqlx::query!(
            "insert into audit (at_ms, by_name, ip, action, job_id, target, detail)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            by.at.0,
            by.by,
            by.ip,
            action,
            job,
            act.target,
            act.detail
        ))
        .await
        .map(drop)
    }
}
