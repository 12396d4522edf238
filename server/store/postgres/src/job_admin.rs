//! Implements [`JobAdmin`]: each method runs the statement that does the work.

mod actions;
mod jobs;
mod kinds;

use api::{Attempt, JobCounts, JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::{attempt_outcome, count, job_state};
use store::{
    JobAdmin, JobPage, JobPosition, JobSelection, OutputPart, Result, RetryingSearch, Signature, StoredJob, StoredKind,
    Topic,
};

use crate::PostgresStore;
use crate::counters::compact;
use crate::escape::restored;
use crate::job_queue::clamped;

#[async_trait]
impl JobAdmin for PostgresStore {
    async fn retry_job(&self, id: JobId, now: TimeMs, by: &Signature) -> Result<bool> {
        let is_retried = actions::retry(&self.connections, id, now, by).await?;
        if is_retried {
            self.older_jobs_changed();
        }
        Ok(is_retried)
    }

    async fn cancel_job(&self, id: JobId, now: TimeMs, by: Option<&Signature>) -> Result<bool> {
        let changed = actions::cancel(&self.connections, id, now, by).await?;
        changed.unwrap_or_default().notify(&self.notifier);
        Ok(changed.is_some())
    }

    async fn delete_job(&self, id: JobId, by: Option<&Signature>) -> Result<bool> {
        let is_deleted = actions::delete(&self.connections, id, by).await?;
        if is_deleted {
            self.notifier.notify(Topic::Jobs);
        }
        Ok(is_deleted)
    }

    async fn prune_jobs(&self, before: TimeMs, limit: u32) -> Result<u64> {
        compact(&self.connections).await?;
        let pruned = actions::prune(&self.connections, before, limit).await?;
        if pruned > 0 {
            self.notifier.notify(Topic::Jobs);
        }
        Ok(pruned)
    }

    async fn register_kind(&self, kind: &str, limit: Option<u32>) -> Result<()> {
        if kinds::register(&self.connections, kind, limit).await? {
            self.notifier.notify(Topic::Jobs);
        }
        Ok(())
    }

    async fn pause_kind(&self, kind: &str, by: &Signature) -> Result<bool> {
        let exists = kinds::set_paused(&self.connections, kind, true, by).await?;
        if exists {
            // Fewer jobs are claimable than before, so no worker has to wake up.
            self.notifier.notify(Topic::Jobs);
        }
        Ok(exists)
    }

    async fn resume_kind(&self, kind: &str, by: &Signature) -> Result<bool> {
        let exists = kinds::set_paused(&self.connections, kind, false, by).await?;
        if exists {
            self.older_jobs_changed();
        }
        Ok(exists)
    }

    async fn limit_kind(&self, kind: &str, limit: Option<u32>, by: &Signature) -> Result<bool> {
        let exists = kinds::set_limit(&self.connections, kind, limit, by).await?;
        if exists {
            self.older_jobs_changed();
        }
        Ok(exists)
    }

    async fn kinds(&self) -> Result<Vec<StoredKind>> {
        kinds::kinds(&self.connections).await
    }

    async fn job_counts(&self) -> Result<JobCounts> {
        let rows = sqlx::query!(
            r#"select state as "state!", sum(count)::bigint as "count!"
               from (
                   select state, count from total where what = 'jobs'
                   union all
                   select state, by from tally where what = 'jobs' and xid >= (select up_to from folded)
               ) as counter
               group by state"#
        );
        let mut counts = JobCounts::default();
        for row in self.connections.fetch_all(rows).await? {
            counts.set(job_state(&row.state)?, count(row.count));
        }
        Ok(counts)
    }

    /// Ids grow, so the smallest one is the oldest.
    async fn oldest_waiting(&self) -> Result<Option<TimeMs>> {
        let oldest = sqlx::query_scalar!("select created_at_ms from job where state = 'waiting' order by id limit 1");
        Ok(self.connections.fetch_optional(oldest).await?.map(TimeMs))
    }

    async fn oldest_retrying_search(&self) -> Result<Option<RetryingSearch>> {
        let oldest = sqlx::query!(
            "select attempt, error from job where state = 'retrying' and kind = 'log_request' order by id limit 1"
        );
        let oldest = self.connections.fetch_optional(oldest).await?;
        Ok(oldest.map(|row| RetryingSearch {
            attempts: row.attempt.unsigned_abs(),
            error: row.error.map(restored).unwrap_or_default(),
        }))
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
        let parts = sqlx::query!(
            "select number, text from job_output where job_id = $1 and number > $2 order by number limit $3",
            id.0,
            clamped(after),
            i64::from(limit)
        );
        let parts = self.connections.fetch_all(parts).await?.into_iter();
        Ok(parts.map(|part| OutputPart { number: part.number.unsigned_abs(), text: restored(part.text) }).collect())
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>> {
        // One statement, so that an attempt that ends in the meantime appears exactly once. The one that runs, or that has
        // done the job, stands in the job's row.
        let rows = sqlx::query!(
            r#"select ordinal as "ordinal!", number as "number!", worker as "worker!",
                      started_at_ms as "started_at_ms!", finished_at_ms as "finished_at_ms?", outcome as "outcome!", error
               from attempt where job_id = $1
               union all
               select 2147483647, attempt, coalesce(worker, done_by), started_at_ms, finished_at_ms, state, null
               from job where id = $1 and (state = 'running' or state = 'done' and done_by is not null)
               order by 1"#,
            id.0
        );
        let attempts = self.connections.fetch_all(rows).await?.into_iter().map(|row| {
            Ok(Attempt {
                number: row.number.unsigned_abs(),
                worker: row.worker,
                started_at: TimeMs(row.started_at_ms),
                finished_at: row.finished_at_ms.map(TimeMs),
                outcome: attempt_outcome(&row.outcome)?,
                error: row.error.map(restored),
            })
        });
        attempts.collect()
    }

    async fn position(&self, kind: &str, key: &str) -> Result<Option<JobPosition>> {
        let job = sqlx::query!(
            r#"select id, state, attempt, priority, created_at_ms, started_at_ms,
                      coalesce(paused, false) as "is_paused!"
               from job left join job_kind on job_kind.kind = job.kind
               where job.kind = $1 and key = $2"#,
            kind,
            key
        );
        let Some(job) = self.connections.fetch_optional(job).await? else { return Ok(None) };
        let state = job_state(&job.state)?;
        let ahead = if state == JobState::Waiting { self.count_ahead(job.priority, job.id).await? } else { 0 };
        Ok(Some(JobPosition {
            job: JobId(job.id),
            state,
            attempt: job.attempt.unsigned_abs(),
            ahead,
            is_paused: job.is_paused,
            created_at: TimeMs(job.created_at_ms),
            started_at: job.started_at_ms.map(TimeMs),
        }))
    }
}

impl PostgresStore {
    /// Reads two ranges of the index. One condition with `or` would read the index to its end.
    async fn count_ahead(&self, priority: i16, id: i64) -> Result<u64> {
        let ahead = sqlx::query_scalar!(
            r#"select count(*) as "ahead!" from (
                   (select 1 from job where state = 'waiting' and priority > $1 limit 10000)
                   union all
                   (select 1 from job where state = 'waiting' and priority = $1 and id < $2 limit 10000)
                   limit 10000
               ) as before"#,
            priority,
            id
        );
        self.connections.fetch_one(ahead).await.map(count)
    }
}
