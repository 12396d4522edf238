//! Handing out jobs, and prolonging their leases.

use api::{JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::{Claim, ClaimedJob, Result, WorkerName};

use crate::error::store_error;
use crate::queue::kinds;
use crate::texts::json_rows;
use crate::writer::{Write, WriteTx};

/// How many due jobs are put among the waiting ones by one claim at least. More would make
/// a single claim slow after a long sleep; the next claim takes the next ones.
const DUE_AT_ONCE: u32 = 1000;

#[async_trait]
impl Write for Claim {
    type Answer = Vec<ClaimedJob>;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<Vec<ClaimedJob>> {
        wake_due(self.now, self.limit.max(DUE_AT_ONCE), tx).await?;
        let worker = &self.worker.0;
        let ids = next(self.limit, tx).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = json_rows(&ids);
        let mut jobs = sqlx::query!(
            r#"update job
               set state = 'running', attempt = attempt + 1, worker = ?1, lease_until_ms = ?2,
                   started_at_ms = ?3, finished_at_ms = null
               where id in (select value from json_each(?4))
               returning id as "id!: i64", kind, payload, priority, attempt as "attempt: u32",
                         max_attempts as "max_attempts: u32""#,
            worker,
            self.lease_until.0,
            self.wall.0,
            ids
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        // SQLite promises no order of the rows that an update returns.
        jobs.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.id));
        let claimed = jobs.into_iter().map(|job| {
            tx.changes.moved(&job.kind, JobState::Waiting, JobState::Running);
            ClaimedJob {
                id: JobId(job.id),
                kind: job.kind,
                payload: job.payload,
                attempt: job.attempt,
                max_attempts: job.max_attempts,
            }
        });
        Ok(claimed.collect())
    }
}

/// The waiting jobs that are to run next, at most `limit`: the first of each kind that may run, put
/// together. A kind that may not is passed over whole, however many of its jobs wait.
async fn next(limit: u32, tx: &mut WriteTx<'_>) -> Result<Vec<i64>> {
    let mut next = Vec::new();
    for (kind, room) in kinds::open(tx).await? {
        let room = room.min(limit);
        let jobs = sqlx::query!(
            r#"select priority, id as "id!: i64" from job indexed by job_waiting
               where state = 'waiting' and kind = ?1 order by priority desc, id limit ?2"#,
            kind,
            room
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        next.extend(jobs.into_iter().map(|job| (std::cmp::Reverse(job.priority), job.id)));
    }
    next.sort_unstable();
    next.truncate(limit as usize);
    Ok(next.into_iter().map(|(_, id)| id).collect())
}

/// Puts jobs whose time has come among the waiting ones, where urgency and age decide.
async fn wake_due(now: TimeMs, limit: u32, tx: &mut WriteTx<'_>) -> Result<()> {
    let due = sqlx::query!(
        r#"select id as "id!: i64", kind, state from job indexed by job_due
           where state in ('scheduled', 'retrying') and run_at_ms <= ?1
           order by run_at_ms limit ?2"#,
        now.0,
        limit
    )
    .fetch_all(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    if due.is_empty() {
        return Ok(());
    }
    for job in &due {
        tx.changes.moved(&job.kind, store::words::job_state(&job.state)?, JobState::Waiting);
    }
    let ids = json_rows(&due.iter().map(|job| job.id).collect::<Vec<_>>());
    sqlx::query!("update job set state = 'waiting' where id in (select value from json_each(?1))", ids)
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

pub(crate) struct Extend {
    pub(crate) worker: WorkerName,
    pub(crate) jobs: Vec<JobId>,
    pub(crate) until: TimeMs,
}

#[async_trait]
impl Write for Extend {
    type Answer = Vec<JobId>;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<Vec<JobId>> {
        let (worker, jobs) = (&self.worker.0, json_rows(&self.jobs));
        let held = sqlx::query_scalar!(
            r#"update job set lease_until_ms = ?1
               where id in (select value from json_each(?2)) and state = 'running' and worker = ?3
               returning id as "id!: i64""#,
            self.until.0,
            jobs,
            worker
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        let held: std::collections::HashSet<i64> = held.into_iter().collect();
        Ok(self.jobs.iter().copied().filter(|job| !held.contains(&job.0)).collect())
    }
}
