//! Claims jobs, and renews their leases.

use std::cmp::Reverse;
use std::collections::HashSet;

use api::{JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::{corrupt, job_state};
use store::{Claim, ClaimedJob, Result, WorkerName};

use crate::bulk::json_rows;
use crate::transaction::Transaction;
use crate::writer::Write;

/// The most due jobs that one claim puts among the waiting ones, unless it asks for more jobs. It keeps a claim after a
/// long sleep fast; the next claim takes the next ones.
const DUE_AT_ONCE: u32 = 1000;

#[async_trait]
impl Write for Claim {
    type Answer = Vec<ClaimedJob>;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<Vec<ClaimedJob>> {
        wake_due(self.now, self.limit.max(DUE_AT_ONCE), tx).await?;
        let worker = &self.worker.0;
        let next = next(self.limit, tx).await?;
        if next.is_empty() {
            return Ok(Vec::new());
        }
        let ids = json_rows(&next.iter().map(|candidate| candidate.job.id).collect::<Vec<_>>());
        tx.execute(sqlx::query!(
            "update or fail job
             set state = 'running', attempt = attempt + 1, worker = ?1, lease_until_ms = ?2,
                 started_at_ms = ?3, finished_at_ms = null
             where id in (select value from jsonb_each(?4))",
            worker,
            self.lease_until.0,
            self.wall.0,
            ids
        ))
        .await?;
        let claimed = next.into_iter().map(|Candidate { job, .. }| {
            tx.changes.moved(&job.kind, JobState::Waiting, JobState::Running);
            job
        });
        Ok(claimed.collect())
    }
}

/// A job to claim, as it will be afterwards.
struct Candidate {
    priority: i64,
    job: ClaimedJob,
}

/// The next `limit` jobs to run, in order: the first jobs of each kind that may run, merged. A kind that may not run is
/// skipped as a whole, however many of its jobs wait.
async fn next(limit: u32, tx: &mut Transaction<'_>) -> Result<Vec<Candidate>> {
    let mut next = Vec::new();
    for (kind, room) in open_kinds(tx).await? {
        first_of(kind, room.min(limit), &mut next, tx).await?;
    }
    next.sort_unstable_by_key(|candidate| (Reverse(candidate.priority), candidate.job.id));
    next.truncate(limit as usize);
    Ok(next)
}

/// The kinds with claimable jobs, and how many jobs of each may be claimed.
///
/// The waiting kinds are read from the index, skipping from one kind's first job to the next kind's: the cost does not
/// depend on how many jobs wait, and manually inserted jobs are found too. The few running jobs are counted here,
/// because this transaction has not updated `job_count` yet.
async fn open_kinds(tx: &mut Transaction<'_>) -> Result<Vec<(String, u32)>> {
    let kinds = sqlx::query!(
        r#"with recursive waiting (kind) as (
               select (select kind from job indexed by job_waiting where state = 'waiting' order by kind limit 1)
               union all
               select (
                   select job.kind from job indexed by job_waiting
                   where state = 'waiting' and job.kind > waiting.kind order by job.kind limit 1
               )
               from waiting where waiting.kind is not null
           )
           select waiting.kind as "kind!: String",
                  case when concurrency is null then 4294967295
                       else max(0, concurrency - (
                           select count(*) from job indexed by job_state
                           where state = 'running' and job.kind = waiting.kind
                       ))
                  end as "room!: u32"
           from waiting left join job_kind on job_kind.kind = waiting.kind
           where waiting.kind is not null and coalesce(paused, 0) = 0"#
    );
    let kinds = tx.fetch_all(kinds).await?.into_iter();
    Ok(kinds.filter(|kind| kind.room > 0).map(|kind| (kind.kind, kind.room)).collect())
}

/// Adds the first `limit` waiting jobs of a kind. They are read as one row: a row for each job would cost more than
/// finding it.
async fn first_of(kind: String, limit: u32, next: &mut Vec<Candidate>, tx: &mut Transaction<'_>) -> Result<()> {
    let found = sqlx::query!(
        r#"select json_group_array(json_array(id, priority, attempt, max_attempts, octet_length(payload)))
                      as "jobs!: String",
                  cast(coalesce(group_concat(payload, ''), '') as blob) as "payloads!: Vec<u8>"
           from (
               select id, priority, attempt, max_attempts, payload from job indexed by job_waiting
               where state = 'waiting' and kind = ?1 order by priority desc, id limit ?2
           )"#,
        kind,
        limit
    );
    let found = tx.fetch_one(found).await?;
    let jobs: Vec<(JobId, i64, u32, u32, usize)> =
        serde_json::from_str(&found.jobs).map_err(|_| corrupt("waiting job", &found.jobs))?;
    let mut payloads = found.payloads.as_slice();
    for (id, priority, attempt, max_attempts, length) in jobs {
        let (payload, rest) = payloads.split_at_checked(length).ok_or_else(|| corrupt("payload", id))?;
        payloads = rest;
        let payload = String::from_utf8_lossy(payload).into_owned();
        let job = ClaimedJob { id, kind: kind.clone(), payload, attempt: attempt.saturating_add(1), max_attempts };
        next.push(Candidate { priority, job });
    }
    Ok(())
}

/// Puts due jobs among the waiting ones, which are claimed by priority and age.
async fn wake_due(now: TimeMs, limit: u32, tx: &mut Transaction<'_>) -> Result<()> {
    let due = sqlx::query!(
        r#"select id as "id!: i64", kind, state from job indexed by job_due
           where state in ('scheduled', 'retrying') and run_at_ms <= ?1
           order by run_at_ms limit ?2"#,
        now.0,
        limit
    );
    let due = tx.fetch_all(due).await?;
    if due.is_empty() {
        return Ok(());
    }
    for job in &due {
        tx.changes.moved(&job.kind, job_state(&job.state)?, JobState::Waiting);
    }
    let ids = json_rows(&due.iter().map(|job| job.id).collect::<Vec<_>>());
    tx.execute(sqlx::query!(
        "update or fail job set state = 'waiting' where id in (select value from jsonb_each(?1))",
        ids
    ))
    .await
    .map(drop)
}

pub(super) struct RenewLeases {
    pub(super) worker: WorkerName,
    pub(super) jobs: Vec<JobId>,
    pub(super) until: TimeMs,
}

#[async_trait]
impl Write for RenewLeases {
    type Answer = Vec<JobId>;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<Vec<JobId>> {
        let (worker, jobs) = (&self.worker.0, json_rows(&self.jobs));
        let held = sqlx::query_scalar!(
            r#"update job set lease_until_ms = ?1
               where id in (select value from jsonb_each(?2)) and state = 'running' and worker = ?3
               returning id as "id!: i64""#,
            self.until.0,
            jobs,
            worker
        );
        let held: HashSet<i64> = tx.fetch_all(held).await?.into_iter().collect();
        Ok(self.jobs.iter().copied().filter(|job| !held.contains(&job.0)).collect())
    }
}
