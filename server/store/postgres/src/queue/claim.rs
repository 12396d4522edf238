//! Handing out jobs, and prolonging their leases.

use std::cmp::Reverse;

use api::{JobId, JobState, TimeMs};
use sqlx::PgConnection;
use store::{ChangedTopics, Claim, ClaimedJob, Result, Topic, WorkerName};
use tokio::time::Instant;

use crate::PostgresStore;
use crate::connections::{Connections, in_time};
use crate::error::store_error;
use crate::queue::front::Start;

/// How many due jobs are put among the waiting ones by one claim at least. More would make
/// a single claim slow after a long sleep; the next claim takes the next ones.
const DUE_AT_ONCE: u32 = 1000;

pub(super) async fn claim(store: &PostgresStore, claim: &Claim) -> Result<Vec<ClaimedJob>> {
    let mut outlook = Outlook::read(&store.connections, claim).await?;
    let mut touched = ChangedTopics::default();
    if outlook.is_due {
        touched = wake_due(store, claim).await?;
        // They may be of a limited kind that had no jobs before.
        outlook = Outlook::read(&store.connections, claim).await?;
    }
    let excepted: Vec<&str> = outlook.excepted.iter().map(String::as_str).collect();
    let mut taken = if outlook.in_turn {
        claim_in_turn(&store.connections, claim, &excepted).await?
    } else {
        claim_freely(store, claim, &excepted).await?
    };
    // The server promises no order of the rows that an update returns.
    taken.sort_by_key(|job| (Reverse(job.priority), job.id));
    if !taken.is_empty() {
        touched.topic(Topic::Jobs);
    }
    touched.notify(&store.waker);
    Ok(taken.into_iter().map(Taken::into_claimed).collect())
}

/// What is to be known before jobs are taken.
struct Outlook {
    /// Whether there are jobs whose time has come.
    is_due: bool,
    /// Kinds for which an administrator has decided something.
    excepted: Vec<String>,
    /// Whether jobs may be taken of a kind of which only so many may run at a time.
    in_turn: bool,
}

impl Outlook {
    /// Read before anything is written: an update that finds nothing to do costs as much as one that does. Kinds are
    /// few, and those for which something was decided are fewer.
    ///
    /// Whether a limited kind has room is asked without its turn being taken: who makes room, or adds a job, wakes
    /// those who look for work once it can be seen.
    async fn read(connections: &Connections, claim: &Claim) -> Result<Self> {
        let statement = sqlx::query!(
            r#"select exists (
                      select 1 from job where state in ('scheduled', 'retrying') and run_at_ms <= $1
                  ) as "is_due!",
                  kind as "kind?", can_run as "can_run?"
           from (select) as once
           left join (
               select kind,
                      concurrency is not null and not paused and (
                          kind = 'log_request'
                          or exists (
                              select 1 from job
                              where job.kind = job_kind.kind and kind <> 'log_request' and state = 'waiting'
                          )
                          and concurrency > (
                              select count(*) from job
                              where job.kind = job_kind.kind and kind <> 'log_request' and state = 'running'
                          )
                      ) as can_run
               from job_kind where paused or concurrency is not null
           ) as excepted on true"#,
            claim.now.0
        );
        let mut connection = connections.get().await?;
        let rows = in_time(statement.fetch_all(&mut *connection)).await;
        let rows = connection.settle(rows).await?;
        Ok(Self {
            is_due: rows.iter().any(|row| row.is_due),
            in_turn: rows.iter().any(|row| row.can_run == Some(true)),
            excepted: rows.into_iter().filter_map(|row| row.kind).collect(),
        })
    }
}

struct Taken {
    id: i64,
    kind: String,
    payload: String,
    priority: i16,
    attempt: i32,
    max_attempts: i32,
}

impl Taken {
    fn into_claimed(self) -> ClaimedJob {
        ClaimedJob {
            id: JobId(self.id),
            kind: self.kind,
            payload: self.payload,
            attempt: self.attempt.unsigned_abs(),
            max_attempts: self.max_attempts.unsigned_abs(),
        }
    }
}

/// Puts jobs whose time has come among the waiting ones, where urgency and age decide.
async fn wake_due(store: &PostgresStore, claim: &Claim) -> Result<ChangedTopics> {
    let statement = sqlx::query!(
        "update job set state = 'waiting'
         where id in (
             select id from job
             where state in ('scheduled', 'retrying') and run_at_ms <= $1
             order by run_at_ms limit $2 for update skip locked
         )
         returning id",
        claim.now.0,
        i64::from(claim.limit.max(DUE_AT_ONCE))
    );
    let mut connection = store.connections.get().await?;
    let due = in_time(statement.fetch_all(&mut *connection)).await;
    let due = connection.settle(due).await?;
    let mut touched = ChangedTopics::default();
    if !due.is_empty() {
        // They may be older than those that were handed out lately.
        store.front.look_again();
        touched.left(JobState::Scheduled);
        touched.entered(JobState::Waiting);
    }
    Ok(touched)
}

/// Jobs of all kinds but the `excepted`, beside all others who claim.
async fn claim_freely(store: &PostgresStore, claim: &Claim, excepted: &[&str]) -> Result<Vec<Taken>> {
    let started_at = Instant::now();
    let start = store.front.start(started_at);
    let mut connection = store.connections.get().await?;
    let taken = in_time(take(&mut connection, claim, excepted, start)).await;
    let taken = connection.settle(taken).await?;
    let last = taken.iter().map(|job| (job.priority, job.id)).max_by_key(|&(priority, id)| (Reverse(priority), id));
    let took_all = i64::try_from(taken.len()).is_ok_and(|taken| taken < i64::from(claim.limit));
    store.front.claimed(start, last, took_all, started_at);
    Ok(taken)
}

/// In three parts, so that what is known to be passed over is not looked at: the more urgent, those of the usual
/// priority from where they begin, and the less urgent.
///
/// `any` of one priority, because an equality would leave the number as the only order, and the server would read the
/// table's whole history in it.
async fn take(
    connection: &mut PgConnection,
    claim: &Claim,
    excepted: &[&str],
    start: Start,
) -> sqlx::Result<Vec<Taken>> {
    sqlx::query_as!(
        Taken,
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
        excepted as _,
        start.priority,
        start.after,
        i64::from(claim.limit)
    )
    .fetch_all(connection)
    .await
}

/// Jobs of all kinds, of some of which only so many may run at a time, on all workers together.
async fn claim_in_turn(connections: &Connections, claim: &Claim, excepted: &[&str]) -> Result<Vec<Taken>> {
    let mut connection = connections.get().await?;
    in_time(connection.begin()).await.map_err(store_error)?;
    let taken = in_time(take_in_turn(&mut connection, claim, excepted)).await;
    connection.settle(taken).await
}

/// Two statements in a transaction, as an exception: those who claim must see each other's jobs, and a statement sees
/// what was committed when it began. A process that is frozen in between is cut off by the server.
async fn take_in_turn(connection: &mut PgConnection, claim: &Claim, excepted: &[&str]) -> sqlx::Result<Vec<Taken>> {
    sqlx::query("select kind from job_kind where concurrency is not null order by kind for update")
        .execute(&mut *connection)
        .await?;
    sqlx::query_as!(
        Taken,
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
        excepted as _,
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
    // Locked in the order of their numbers, as by all who change several: so nobody waits for each other.
    let statement = sqlx::query_scalar!(
        "with held as materialized (
             select job.id
             from (select id from unnest((select $2::bigint[])) as told (id) order by id) as told
             cross join lateral (
                 select id from job where id = told.id and state = 'running' and worker = $3 for update
             ) as job
         )
         update job set lease_until_ms = $1 from held where job.id = held.id returning job.id",
        until.0,
        &ids,
        worker.0
    );
    let mut connection = connections.get().await?;
    let held = in_time(statement.fetch_all(&mut *connection)).await;
    let held: std::collections::HashSet<i64> = connection.settle(held).await?.into_iter().collect();
    Ok(jobs.iter().copied().filter(|job| !held.contains(&job.0)).collect())
}
