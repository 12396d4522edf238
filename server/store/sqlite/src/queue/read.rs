//! What the queue tells without changing.

use api::{Attempt, JobCounts, JobFilter, JobId, JobState, TimeMs};
use store::words::{attempt_outcome, count, job_state};
use store::{JobPage, QueuePlace, Result, StoredJob, WorkerName};

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

pub(super) async fn jobs(readers: &Readers, filter: JobFilter, before: Option<JobId>, limit: u32) -> Result<JobPage> {
    let before = before.map_or(i64::MAX, |id| id.0);
    // One more than asked for tells whether there is another page.
    let fetched = i64::from(limit) + 1;
    let rows = match filter.state.map(JobState::word) {
        Some(state) => {
            sqlx::query_as!(
                JobRow,
                r#"select id as "id!: i64", kind, key, payload, state, attempt as "attempt: u32",
                          max_attempts as "max_attempts: u32", worker, cancel_requested as "cancel_requested: bool",
                          created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error
                   from job indexed by job_state
                   where state = ?1 and id < ?2 order by id desc limit ?3"#,
                state,
                before,
                fetched
            )
            .fetch_all(&mut *readers.get().await?)
            .await
        }
        None => {
            sqlx::query_as!(
                JobRow,
                r#"select id as "id!: i64", kind, key, payload, state, attempt as "attempt: u32",
                          max_attempts as "max_attempts: u32", worker, cancel_requested as "cancel_requested: bool",
                          created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error
                   from job
                   where id < ?1 order by id desc limit ?2"#,
                before,
                fetched
            )
            .fetch_all(&mut *readers.get().await?)
            .await
        }
    };
    let mut jobs = rows.map_err(store_error)?.into_iter().map(JobRow::into_job).collect::<Result<Vec<_>>>()?;
    let is_last = jobs.len() <= limit as usize;
    jobs.truncate(limit as usize);
    let next = if is_last { None } else { jobs.last().map(|job| job.id) };
    Ok(JobPage { jobs, next })
}

pub(super) async fn job(readers: &Readers, id: JobId) -> Result<Option<StoredJob>> {
    let row = sqlx::query_as!(
        JobRow,
        r#"select id as "id!: i64", kind, key, payload, state, attempt as "attempt: u32",
                  max_attempts as "max_attempts: u32", worker, cancel_requested as "cancel_requested: bool",
                  created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error
           from job where id = ?1"#,
        id.0
    );
    row.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)?.map(JobRow::into_job).transpose()
}

struct JobRow {
    id: i64,
    kind: String,
    key: Option<String>,
    payload: String,
    state: String,
    attempt: u32,
    max_attempts: u32,
    worker: Option<String>,
    cancel_requested: bool,
    created_at_ms: i64,
    run_at_ms: i64,
    started_at_ms: Option<i64>,
    finished_at_ms: Option<i64>,
    error: Option<String>,
}

impl JobRow {
    fn into_job(self) -> Result<StoredJob> {
        Ok(StoredJob {
            id: JobId(self.id),
            kind: self.kind,
            key: self.key,
            payload: self.payload,
            state: job_state(&self.state)?,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            worker: self.worker.map(WorkerName),
            cancel_requested: self.cancel_requested,
            created_at: TimeMs(self.created_at_ms),
            run_at: TimeMs(self.run_at_ms),
            started_at: self.started_at_ms.map(TimeMs),
            finished_at: self.finished_at_ms.map(TimeMs),
            error: self.error,
        })
    }
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

pub(super) async fn place(readers: &Readers, kind: &str, key: &str) -> Result<Option<QueuePlace>> {
    let job = sqlx::query!(
        r#"select id as "id!: i64", state, attempt as "attempt: u32", priority
           from job where kind = ?1 and key = ?2"#,
        kind,
        key
    );
    let Some(job) = job.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)? else { return Ok(None) };
    let state = job_state(&job.state)?;
    let ahead = if state == JobState::Waiting { ahead(readers, job.priority, job.id).await? } else { 0 };
    Ok(Some(QueuePlace { job: JobId(job.id), state, attempt: job.attempt, ahead }))
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
