//! What the queue tells without changing.

use api::{Attempt, JobCounts, JobId, JobState, TimeMs};
use store::codec::{attempt_outcome, count, job_state};
use store::{JobPosition, Result, WorkerName};

use crate::error::store_error;
use crate::reader::Readers;

pub(super) async fn next_due(readers: &Readers) -> Result<Option<TimeMs>> {
    let due = sqlx::query_scalar!(
        "select run_at_ms from job indexed by job_due
         where state in ('scheduled', 'retrying') order by run_at_ms limit 1"
    );
    Ok(due.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)?.map(TimeMs))
}

pub(super) async fn any_lease_ran_out(readers: &Readers, now: TimeMs) -> Result<bool> {
    let lost = sqlx::query_scalar!(
        "select id from job indexed by job_state where state = 'running' and lease_until_ms < ?1 limit 1",
        now.0
    );
    Ok(lost.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)?.is_some())
}

pub(super) async fn cancellations(readers: &Readers, worker: &WorkerName) -> Result<Vec<JobId>> {
    let worker = &worker.0;
    // Few jobs run at a time, so an index of its own would cost more than it saves.
    let jobs = sqlx::query_scalar!(
        r#"select id as "id!: i64" from job indexed by job_state
           where state = 'running' and cancel_requested = 1 and worker = ?1 order by id"#,
        worker
    );
    Ok(jobs.fetch_all(&mut *readers.get().await?).await.map_err(store_error)?.into_iter().map(JobId).collect())
}

pub(super) async fn job_counts(readers: &Readers) -> Result<JobCounts> {
    let rows = sqlx::query!(r#"select state, sum(count) as "count!: i64" from job_count group by state"#);
    let rows = rows.fetch_all(&mut *readers.get().await?).await.map_err(store_error)?;
    let mut counts = JobCounts::default();
    for row in rows {
        counts.set(job_state(&row.state)?, count(row.count));
    }
    Ok(counts)
}

/// Rows are numbered as they come, so the smallest number is the oldest.
pub(super) async fn oldest_waiting(readers: &Readers) -> Result<Option<TimeMs>> {
    let oldest = sqlx::query_scalar!(
        "select created_at_ms from job indexed by job_state where state = 'waiting' order by id limit 1"
    );
    Ok(oldest.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)?.map(TimeMs))
}

pub(super) async fn attempts(readers: &Readers, id: JobId) -> Result<Vec<Attempt>> {
    // One statement, so that an attempt that ends meanwhile is seen once and not twice or never.
    let rows = sqlx::query!(
        r#"select ordinal as "ordinal!: i64", number as "number!: u32", worker as "worker!",
                  started_at_ms as "started_at_ms!: i64", finished_at_ms as "finished_at_ms: i64",
                  outcome as "outcome!", error as "error: String"
           from attempt where job_id = ?1
           union all
           select 9223372036854775807, attempt, worker, started_at_ms, null, 'running', null
           from job where id = ?1 and state = 'running'
           order by 1"#,
        id.0
    );
    let rows = rows.fetch_all(&mut *readers.get().await?).await.map_err(store_error)?;
    let attempts = rows.into_iter().map(|row| {
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

pub(super) async fn place(readers: &Readers, kind: &str, key: &str) -> Result<Option<JobPosition>> {
    let job = sqlx::query!(
        r#"select id as "id!: i64", state, attempt as "attempt: u32", priority
           from job where kind = ?1 and key = ?2"#,
        kind,
        key
    );
    let Some(job) = job.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)? else { return Ok(None) };
    let state = job_state(&job.state)?;
    let ahead = if state == JobState::Waiting { ahead(readers, job.priority, job.id).await? } else { 0 };
    Ok(Some(JobPosition { job: JobId(job.id), state, attempt: job.attempt, ahead }))
}

/// Two ranges of the index in each kind instead of one condition with `or`, which would read it to its end.
async fn ahead(readers: &Readers, priority: i64, id: i64) -> Result<u64> {
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
    Ok(count(ahead.fetch_one(&mut *readers.get().await?).await.map_err(store_error)?))
}
