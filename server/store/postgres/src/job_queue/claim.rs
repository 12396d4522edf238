//! Claims jobs, and renews their leases.

use std::cmp::Reverse;
use std::collections::HashSet;

use api::{JobId, JobState, TimeMs};
use sqlx::PgConnection;
use store::{ChangedTopics, Claim, ClaimedJob, Result, Topic, WorkerName};
use tokio::time::Instant;

use crate::PostgresStore;
use crate::connections::{Connections, in_time};
use crate::error::store_error;

/// The most due jobs that one claim puts among the waiting ones, unless it asks for more jobs. It keeps a claim after a
/// long sleep fast; the next claim takes the next ones.
const DUE_LIMIT: u32 = 1000;

pub(super) async fn claim(store: &PostgresStore, claim: &Claim) -> Result<Vec<ClaimedJob>> {
    let mut kinds = KindSnapshot::read(&store.connections, claim).await?;
    let mut changed = ChangedTopics::default();
    if kinds.has_due_jobs {
        changed = wake_due(store, claim).await?;
        // They may be of a limited kind that had no waiting jobs before.
        kinds = KindSnapshot::read(&store.connections, claim).await?;
    }
    let restricted: Vec<&str> = kinds.restricted.iter().map(String::as_str).collect();
    let mut claimed = if kinds.has_limited_job {
        claim_in_turn(&store.connections, claim, &restricted).await?
    } else {
        claim_freely(store, claim, &restricted).await?
    };
    // The server does not guarantee the order of the rows that an update returns.
    claimed.sort_by_key(|job| (Reverse(job.priority), job.id));
    if !claimed.is_empty() {
        changed.topic(Topic::Jobs);
    }
    changed.notify(&store.notifier);
    Ok(claimed.into_iter().map(ClaimedRow::into_job).collect())
}

/// What a claim needs to know about the kinds of jobs.
struct KindSnapshot {
    /// Whether scheduled or retrying jobs are due.
    has_due_jobs: bool,
    /// The kinds that are paused or limited.
    restricted: Vec<String>,
    /// Whether a job of a limited kind could be claimed.
    has_limited_job: bool,
}

impl KindSnapshot {
    /// A read before any write: an update that finds nothing costs as much as one that does. Restricted kinds are few.
    async fn read(connections: &Connections, claim: &Claim) -> Result<Self> {
        let rows = sqlx::query!(
            r#"select exists (
                      select 1 from job where state in ('scheduled', 'retrying') and run_at_ms <= $1
                  ) as "has_due_jobs!",
                  kind as "kind?", concurrency is not null and not paused as "is_limited?"
               from (select) as one_row left join job_kind on paused or concurrency is not null"#,
            claim.now.0
        );
        let rows = connections.fetch_all(rows).await?;
        let is_limited = rows.iter().any(|row| row.is_limited == Some(true));
        Ok(Self {
            has_due_jobs: rows.iter().any(|row| row.has_due_jobs),
            has_limited_job: is_limited && has_limited_job(connections).await?,
            restricted: rows.into_iter().filter_map(|row| row.kind).collect(),
        })
    }
}

/// Reads without a lock whether a limited kind has jobs and room. Whatever makes room or adds a job notifies the workers
/// after its commit.
async fn has_limited_job(connections: &Connections) -> Result<bool> {
    let can_run = sqlx::query_scalar!(
        r#"select exists (
                  select 1 from job_kind
                  where concurrency is not null and not paused and (
                      kind = 'log_request'
                      or exists (
                          select 1 from job
                          where job.kind = job_kind.kind and kind <> 'log_request' and state = 'waiting'
                      )
                      and concurrency > (
                          select count(*) from job
                          where job.kind = job_kind.kind and kind <> 'log_request' and state = 'running'
                      )
                  )
              ) as "can_run!""#
    );
    connections.fetch_one(can_run).await
}

struct ClaimedRow {
    id: i64,
    kind: String,
    payload: String,
    priority: i16,
    attempt: i32,
    max_attempts: i32,
}

impl ClaimedRow {
    fn into_job(self) -> ClaimedJob {
        ClaimedJob {
            id: JobId(self.id),
            kind: self.kind,
            payload: self.payload,
            attempt: self.attempt.unsigned_abs(),
            max_attempts: self.max_attempts.unsigned_abs(),
        }
    }
}

/// Puts due jobs among the waiting ones, which are claimed by priority and age.
async fn wake_due(store: &PostgresStore, claim: &Claim) -> Result<ChangedTopics> {
    let due = sqlx::query!(
        "update job set state = 'waiting'
         where id in (
             select id from job
             where state in ('scheduled', 'retrying') and run_at_ms <= $1
             order by run_at_ms limit $2 for update skip locked
         )",
        claim.now.0,
        i64::from(claim.limit.max(DUE_LIMIT))
    );
    let mut changed = ChangedTopics::default();
    if store.connections.execute(due).await? > 0 {
        // They may be older than the jobs that were claimed last.
        store.cursor.reset();
        changed.left(JobState::Scheduled);
        changed.entered(JobState::Waiting);
    }
    Ok(changed)
}

/// Claims jobs of all kinds but the `restricted` ones, concurrently with other workers.
async fn claim_freely(store: &PostgresStore, claim: &Claim, restricted: &[&str]) -> Result<Vec<ClaimedRow>> {
    let started_at = Instant::now();
    let start = store.cursor.start(started_at);
    // Three ranges, so that skipped jobs are not read: higher priorities, the cursor's priority from its start, lower
    // ones. `any` of one priority, because with an equality the planner would order by id alone and scan the whole
    // table's history.
    let claimed = sqlx::query_as!(
        ClaimedRow,
        r#"with urgent as materialized (
               select id from job
               where state = 'waiting' and priority > $5 and kind <> all ($4::text[])
               order by priority desc, id limit $7 for update skip locked
           ),
           usual as materialized (
               select id from job
               where state = 'waiting' and priority = any (array[$5::smallint]) and id > $6 and kind <> all ($4::text[])
               order by priority desc, id limit $7 - (select count(*) from urgent) for update skip locked
           ),
           rest as materialized (
               select id from job
               where state = 'waiting' and priority < $5 and kind <> all ($4::text[])
               order by priority desc, id
               limit $7 - (select count(*) from urgent) - (select count(*) from usual) for update skip locked
           )
           update job
           set state = 'running', attempt = attempt + 1, worker = $1, lease_until_ms = $2, started_at_ms = $3,
               finished_at_ms = null
           where id in (select id from urgent union all select id from usual union all select id from rest)
           returning id, kind, payload, priority, attempt, max_attempts"#,
        claim.worker.0,
        claim.lease_until.0,
        claim.wall.0,
        restricted as _,
        start.priority,
        start.after,
        i64::from(claim.limit)
    );
    let claimed = store.connections.fetch_all(claimed).await?;
    let last = claimed.iter().map(|job| (job.priority, job.id)).max_by_key(|&(priority, id)| (Reverse(priority), id));
    let took_all = i64::try_from(claimed.len()).is_ok_and(|claimed| claimed < i64::from(claim.limit));
    store.cursor.claimed(start, last, took_all, started_at);
    Ok(claimed)
}

/// Claims jobs of all kinds, including limited ones, whose limits apply to all workers together.
async fn claim_in_turn(connections: &Connections, claim: &Claim, restricted: &[&str]) -> Result<Vec<ClaimedRow>> {
    let mut connection = connections.get().await?;
    in_time(connection.begin()).await.map_err(store_error)?;
    let claimed = in_time(take_in_turn(&mut connection, claim, restricted)).await;
    connection.settle(claimed).await
}

/// Two statements in one transaction, as an exception: claims must see each other's jobs, and a statement sees only
/// what was committed when it started. The server ends the transaction of a process that freezes in between.
async fn take_in_turn(
    connection: &mut PgConnection,
    claim: &Claim,
    restricted: &[&str],
) -> sqlx::Result<Vec<ClaimedRow>> {
    sqlx::query("select kind from job_kind where concurrency is not null order by kind for update")
        .execute(&mut *connection)
        .await?;
    sqlx::query_as!(
        ClaimedRow,
        r#"with candidate as materialized (
               select job.id, job.priority
               from job_kind
               cross join lateral (
                   select id, priority from job
                   where state = 'waiting' and kind = job_kind.kind
                   order by priority desc, id
                   limit least($5, greatest(0, job_kind.concurrency - (
                       select count(*) from job where state = 'running' and kind = job_kind.kind
                   )))
               ) as job
               where job_kind.concurrency is not null and not job_kind.paused
               union all
               (
                   select id, priority from job
                   where state = 'waiting' and kind <> all ($4::text[])
                   order by priority desc, id limit $5
               )
           )
           update job
           set state = 'running', attempt = attempt + 1, worker = $1, lease_until_ms = $2, started_at_ms = $3,
               finished_at_ms = null
           where id in (
               select id from job
               where state = 'waiting' and id in (select id from candidate order by priority desc, id limit $5)
               order by id for update skip locked
           )
           returning id, kind, payload, priority, attempt, max_attempts"#,
        claim.worker.0,
        claim.lease_until.0,
        claim.wall.0,
        restricted as _,
        i64::from(claim.limit)
    )
    .fetch_all(&mut *connection)
    .await
}

pub(super) async fn renew_leases(
    connections: &Connections,
    worker: &WorkerName,
    jobs: &[JobId],
    until: TimeMs,
) -> Result<Vec<JobId>> {
    let ids: Vec<i64> = jobs.iter().map(|job| job.0).collect();
    // Locked in the order of ids, like all changes of several jobs, so that none of them deadlock.
    let held = sqlx::query_scalar!(
        "with held as materialized (
             select job.id
             from (select id from unnest((select $2::bigint[])) as input (id) order by id) as input
             cross join lateral (
                 select id from job where id = input.id and state = 'running' and worker = $3 for update
             ) as job
         )
         update job set lease_until_ms = $1 from held where job.id = held.id returning job.id",
        until.0,
        &ids,
        worker.0
    );
    let held: HashSet<i64> = connections.fetch_all(held).await?.into_iter().collect();
    Ok(jobs.iter().copied().filter(|job| !held.contains(&job.0)).collect())
}
