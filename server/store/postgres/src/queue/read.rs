//! What the queue tells without changing.

use api::{Attempt, JobCounts, JobId, JobState, TimeMs};
use store::codec::{attempt_outcome, count, job_state};
use store::{JobPosition, Result, WorkerName};

use crate::connections::{Connections, in_time};
use crate::escape::restored;

pub(super) async fn next_due(connections: &Connections) -> Result<Option<TimeMs>> {
    let statement = sqlx::query_scalar!(
        "select run_at_ms from job where state in ('scheduled', 'retrying') order by run_at_ms limit 1"
    );
    let mut connection = connections.get().await?;
    let due = in_time(statement.fetch_optional(&mut *connection)).await;
    Ok(connection.settle(due).await?.map(TimeMs))
}

pub(super) async fn cancellations(connections: &Connections, worker: &WorkerName) -> Result<Vec<JobId>> {
    let statement = sqlx::query_scalar!(
        "select id from job where state = 'running' and cancel_requested and worker = $1 order by id",
        worker.0
    );
    let mut connection = connections.get().await?;
    let jobs = in_time(statement.fetch_all(&mut *connection)).await;
    Ok(connection.settle(jobs).await?.into_iter().map(JobId).collect())
}

pub(super) async fn job_counts(connections: &Connections) -> Result<JobCounts> {
    let statement = sqlx::query!(
        r#"select state as "state!", sum(count)::bigint as "count!"
           from (
               select state, count from total where what = 'jobs'
               union all
               select state, by from tally where what = 'jobs' and xid >= (select up_to from folded)
           ) as line
           group by state"#
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    let mut counts = JobCounts::default();
    for row in connection.settle(rows).await? {
        counts.set(job_state(&row.state)?, count(row.count));
    }
    Ok(counts)
}

/// Rows are numbered as they come, so the smallest number is the oldest.
pub(super) async fn oldest_waiting(connections: &Connections) -> Result<Option<TimeMs>> {
    let statement = sqlx::query_scalar!("select created_at_ms from job where state = 'waiting' order by id limit 1");
    let mut connection = connections.get().await?;
    let oldest = in_time(statement.fetch_optional(&mut *connection)).await;
    Ok(connection.settle(oldest).await?.map(TimeMs))
}

pub(super) async fn attempts(connections: &Connections, id: JobId) -> Result<Vec<Attempt>> {
    // One statement, so that an attempt that ends meanwhile is seen once and not twice or never.
    let statement = sqlx::query!(
        r#"select ordinal as "ordinal!", number as "number!", worker as "worker!", started_at_ms as "started_at_ms!",
                  finished_at_ms, outcome as "outcome!", error
           from attempt where job_id = $1
           union all
           select 2147483647, attempt, worker, started_at_ms, null, 'running', null
           from job where id = $1 and state = 'running'
           order by 1"#,
        id.0
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    let attempts = connection.settle(rows).await?.into_iter().map(|row| {
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

pub(super) async fn place(connections: &Connections, kind: &str, key: &str) -> Result<Option<JobPosition>> {
    let statement =
        sqlx::query!("select id, state, attempt, priority from job where kind = $1 and key = $2", kind, key);
    let mut connection = connections.get().await?;
    let job = in_time(statement.fetch_optional(&mut *connection)).await;
    let Some(job) = connection.settle(job).await? else { return Ok(None) };
    let state = job_state(&job.state)?;
    let ahead = if state == JobState::Waiting { ahead(connections, job.priority, job.id).await? } else { 0 };
    Ok(Some(JobPosition { job: JobId(job.id), state, attempt: job.attempt.unsigned_abs(), ahead }))
}

/// Two ranges of the index instead of one condition with `or`, which would read it to its end.
async fn ahead(connections: &Connections, priority: i16, id: i64) -> Result<u64> {
    let statement = sqlx::query_scalar!(
        r#"select count(*) as "ahead!" from (
               (select 1 from job where state = 'waiting' and priority > $1 limit 10000)
               union all
               (select 1 from job where state = 'waiting' and priority = $1 and id < $2 limit 10000)
               limit 10000
           ) as before"#,
        priority,
        id
    );
    let mut connection = connections.get().await?;
    let ahead = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(ahead).await.map(count)
}
