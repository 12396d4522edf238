//! Implements [`JobAdmin`]: each method calls the write or the read that does the work.

mod actions;
mod jobs;
mod kinds;

use api::{Attempt, JobCounts, JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::{attempt_outcome, count, job_state};
use store::{
    JobAdmin, JobPage, JobPosition, JobSelection, OutputPart, Result, RetryingSearch, Signature, StoredJob, StoredKind,
};

use crate::SqliteStore;
use crate::job_admin::actions::{Cancel, Delete, Prune, Retry};
use crate::job_admin::kinds::{ChangeKind, KindChange};

#[async_trait]
impl JobAdmin for SqliteStore {
    async fn retry_job(&self, id: JobId, now: TimeMs, by: &Signature) -> Result<bool> {
        self.writer.write(Retry { id, now, by: by.clone() }).await
    }

    async fn cancel_job(&self, id: JobId, now: TimeMs, by: Option<&Signature>) -> Result<bool> {
        self.writer.write(Cancel { id, now, by: by.cloned() }).await
    }

    async fn delete_job(&self, id: JobId, by: Option<&Signature>) -> Result<bool> {
        self.writer.write(Delete { id, by: by.cloned() }).await
    }

    async fn prune_jobs(&self, before: TimeMs, limit: u32) -> Result<u64> {
        self.writer.write(Prune { before, limit }).await
    }

    async fn register_kind(&self, kind: &str, limit: Option<u32>) -> Result<()> {
        self.change_kind(kind, KindChange::Register(limit), None).await.map(drop)
    }

    async fn pause_kind(&self, kind: &str, by: &Signature) -> Result<bool> {
        self.change_kind(kind, KindChange::Pause, Some(by)).await
    }

    async fn resume_kind(&self, kind: &str, by: &Signature) -> Result<bool> {
        self.change_kind(kind, KindChange::Resume, Some(by)).await
    }

    async fn limit_kind(&self, kind: &str, limit: Option<u32>, by: &Signature) -> Result<bool> {
        self.change_kind(kind, KindChange::Limit(limit), Some(by)).await
    }

    async fn kinds(&self) -> Result<Vec<StoredKind>> {
        kinds::kinds(&self.connections).await
    }

    async fn job_counts(&self) -> Result<JobCounts> {
        let rows = sqlx::query!(r#"select state, sum(count) as "count!: i64" from job_count group by state"#);
        let mut counts = JobCounts::default();
        for row in self.connections.fetch_all(rows).await? {
            counts.set(job_state(&row.state)?, count(row.count));
        }
        Ok(counts)
    }

    /// Ids grow, so the smallest one is the oldest.
    async fn oldest_waiting(&self) -> Result<Option<TimeMs>> {
        let oldest = sqlx::query_scalar!(
            "select created_at_ms from job indexed by job_state where state = 'waiting' order by id limit 1"
        );
        Ok(self.connections.fetch_optional(oldest).await?.map(TimeMs))
    }

    async fn oldest_retrying_search(&self) -> Result<Option<RetryingSearch>> {
        let oldest = sqlx::query!(
            r#"select attempt as "attempt: u32", error from job indexed by job_state
               where state = 'retrying' and kind = 'log_request' order by id limit 1"#
        );
        let oldest = self.connections.fetch_optional(oldest).await?;
        Ok(oldest.map(|row| RetryingSearch { attempts: row.attempt, error: row.error.unwrap_or_default() }))
    }

    async fn jobs(&self, selection: JobSelection, before: Option<JobId>, limit: u32) -> Result<JobPage> {
        jobs::jobs(&self.connections, selection, before, limit).await
    }

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>> {
        jobs::job(&self.connections, id).await
    }

    async fn job_by_key(&self, kind: &str, key: &str) -> Result<Option<StoredJob>> {
        jobs::job_by_key(&self.connections, kind, key).await
    }

    async fn job_output(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>> {
        let parts = sqlx::query_as!(
            OutputPart,
            r#"select number as "number: u32", text from job_output
               where job_id = ?1 and number > ?2 order by number limit ?3"#,
            id.0,
            after,
            limit
        );
        self.connections.fetch_all(parts).await
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>> {
        // One statement, so that an attempt that ends in the meantime appears exactly once. The one that runs, or that has
        // done the job, stands in the job's row.
        let rows = sqlx::query!(
            r#"select ordinal as "ordinal!: i64", number as "number!: u32", worker as "worker!",
                      started_at_ms as "started_at_ms!: i64", finished_at_ms as "finished_at_ms: i64",
                      outcome as "outcome!", error as "error: String"
               from attempt where job_id = ?1
               union all
               select 9223372036854775807, attempt, coalesce(worker, done_by), started_at_ms, finished_at_ms, state, null
               from job where id = ?1 and (state = 'running' or done_by is not null)
               order by 1"#,
            id.0
        );
        let attempts = self.connections.fetch_all(rows).await?.into_iter().map(|row| {
            Ok(Attempt {
                number: row.number,
                worker: row.worker,
                started_at: TimeMs(row.started_at_ms),
                finished_at: row.finished_at_ms.map(TimeMs),
                outcome: attempt_outcome(&row.outcome)?,
                error: row.error,
            })
        });
        attempts.collect()
    }

    async fn position(&self, kind: &str, key: &str) -> Result<Option<JobPosition>> {
        let job = sqlx::query!(
            r#"select id as "id!: i64", state, attempt as "attempt: u32", priority, created_at_ms, started_at_ms,
                      coalesce(paused, 0) as "is_paused!: bool"
               from job left join job_kind on job_kind.kind = job.kind
               where job.kind = ?1 and key = ?2"#,
            kind,
            key
        );
        let Some(job) = self.connections.fetch_optional(job).await? else { return Ok(None) };
        let state = job_state(&job.state)?;
        let ahead = if state == JobState::Waiting { self.count_ahead(job.priority, job.id).await? } else { 0 };
        Ok(Some(JobPosition {
            job: JobId(job.id),
            state,
            attempt: job.attempt,
            ahead,
            is_paused: job.is_paused,
            created_at: TimeMs(job.created_at_ms),
            started_at: job.started_at_ms.map(TimeMs),
        }))
    }
}

impl SqliteStore {
    async fn change_kind(&self, kind: &str, change: KindChange, by: Option<&Signature>) -> Result<bool> {
        self.writer.write(ChangeKind { kind: kind.to_owned(), change, by: by.cloned() }).await
    }

    /// Reads two ranges of the index for each kind. One condition with `or` would read the index to its end.
    async fn count_ahead(&self, priority: i64, id: i64) -> Result<u64> {
        let ahead = sqlx::query_scalar!(
            r#"select count(*) as "ahead!: i64" from (
                   select 1 from (
                       select 1 from job_kind cross join job indexed by job_waiting
                       where state = 'waiting' and job.kind = job_kind.kind and priority > ?1 limit 10000
                   )
                   union all
                   select 1 from (
                       select 1 from job_kind cross join job indexed by job_waiting
                       where state = 'waiting' and job.kind = job_kind.kind and priority = ?1 and id < ?2 limit 10000
                   )
                   limit 10000
               )"#,
            priority,
            id
        );
        self.connections.fetch_one(ahead).await.map(count)
    }
}
