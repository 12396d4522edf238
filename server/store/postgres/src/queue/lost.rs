//! Attempts of which nobody will hear again.

use api::TimeMs;
use store::Result;

use crate::connections::{Connections, in_time};

const RAN_OUT: &str = "The lease ran out before the worker said what came of the attempt: it hangs, or has stopped.";
const ORPHANED: &str = "The process that ran the attempt ended before it said what came of it.";

/// Ends the attempts whose lease ran out. Those that another process is ending just now are left to it.
pub(super) async fn expire_leases(connections: &Connections, now: TimeMs) -> Result<u64> {
    let lost = lost(connections, now.0).await?;
    if lost.is_empty() { Ok(0) } else { end_as_lost(connections, &lost, RAN_OUT, 0, now).await }
}

/// Asked every few seconds: only where there is something to write does it become a write.
async fn lost(connections: &Connections, before: i64) -> Result<Vec<i64>> {
    let statement =
        sqlx::query_scalar!("select id from job where state = 'running' and lease_until_ms < $1 limit 1000", before);
    let mut connection = connections.get().await?;
    let lost = in_time(statement.fetch_all(&mut *connection)).await;
    connection.settle(lost).await
}

pub(super) async fn rescue_orphans(connections: &Connections, now: TimeMs, latest: TimeMs) -> Result<u64> {
    let statement = sqlx::query!(
        "update job set run_at_ms = $1
         where id in (
             select id from job where state in ('scheduled', 'retrying') and run_at_ms > $1 order by id for update
         )",
        latest.0
    );
    let mut connection = connections.get().await?;
    let pulled = in_time(statement.execute(&mut *connection)).await;
    connection.settle(pulled).await?;
    let mut ended = 0;
    loop {
        let lost = lost(connections, i64::MAX).await?;
        if lost.is_empty() {
            return Ok(ended);
        }
        ended += end_as_lost(connections, &lost, ORPHANED, 1, now).await?;
    }
}

/// Ends the running attempts of `jobs` as lost, after having given each job so many attempts more.
async fn end_as_lost(connections: &Connections, jobs: &[i64], why: &str, more: i32, now: TimeMs) -> Result<u64> {
    // With the lease as it was: one that was renewed in between is not lost.
    let before = if more > 0 { i64::MAX } else { now.0 };
    let statement = sqlx::query!(
        r#"with lost as materialized (
               select id, attempt, worker, started_at_ms,
                      case
                          when cancel_requested then 'cancelled'
                          when attempt < max_attempts + $3 then 'waiting'
                          else 'dead'
                      end as next
               from job
               where id = any ($1::bigint[]) and state = 'running' and lease_until_ms < $4
               order by id
               for update skip locked
           ),
           noted as (
               insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
               select id, (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = lost.id),
                      attempt, worker, started_at_ms, $5, 'lost', $2
               from lost
           )
           update job
           set state = lost.next,
               run_at_ms = case lost.next when 'waiting' then $5 else job.run_at_ms end,
               max_attempts = job.max_attempts + $3,
               finished_at_ms = case lost.next when 'waiting' then null else $5 end,
               error = $2, worker = null, lease_until_ms = null, cancel_requested = false
           from lost
           where job.id = lost.id"#,
        jobs,
        why,
        more,
        before,
        now.0
    );
    let mut connection = connections.get().await?;
    let ended = in_time(statement.execute(&mut *connection)).await;
    connection.settle(ended).await.map(|ended| ended.rows_affected())
}
