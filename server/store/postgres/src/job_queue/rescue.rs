//! Rescues the jobs of dead workers: their attempts end as lost.

use api::TimeMs;
use store::{Result, WORKER_STOPPED};

use crate::connections::Connections;

const RAN_OUT: &str = "The lease ran out before the worker said what came of the attempt: it hangs, or has stopped.";

/// Ends the attempts whose lease has expired. Skips attempts that another process is ending.
pub(super) async fn expire_leases(connections: &Connections, now: TimeMs) -> Result<u64> {
    let lost = find_lost(connections, now.0).await?;
    if lost.is_empty() { Ok(0) } else { end_as_lost(connections, &lost, RAN_OUT, 0, now).await }
}

/// Runs every few seconds, so it is a read, and a write follows only if there is something to write.
async fn find_lost(connections: &Connections, before: i64) -> Result<Vec<i64>> {
    let lost =
        sqlx::query_scalar!("select id from job where state = 'running' and lease_until_ms < $1 limit 1000", before);
    connections.fetch_all(lost).await
}

pub(super) async fn rescue_orphans(connections: &Connections, now: TimeMs, latest: TimeMs) -> Result<u64> {
    let later = sqlx::query!(
        "update job set run_at_ms = $1
         where id in (
             select id from job where state in ('scheduled', 'retrying') and run_at_ms > $1 order by id for update
         )",
        latest.0
    );
    connections.execute(later).await?;
    let mut ended = 0;
    loop {
        let lost = find_lost(connections, i64::MAX).await?;
        if lost.is_empty() {
            return Ok(ended);
        }
        ended += end_as_lost(connections, &lost, WORKER_STOPPED, 1, now).await?;
    }
}

/// Ends the running attempts of `jobs` as lost, after allowing each job `more` attempts.
async fn end_as_lost(connections: &Connections, jobs: &[i64], why: &str, more: i32, now: TimeMs) -> Result<u64> {
    // Checks the lease again: an attempt that was renewed in the meantime is not lost.
    let before = if more > 0 { i64::MAX } else { now.0 };
    let ended = sqlx::query!(
        r#"with lost as materialized (
               select id, attempt, worker, started_at_ms,
                      case
                          when cancel_requested then 'cancelled'
                          when attempt < max_attempts + $3 then 'waiting'
                          else 'dead'
                      end as next_state
               from job
               where id = any ($1::bigint[]) and state = 'running' and lease_until_ms < $4
               order by id
               for update skip locked
           ),
           stored_attempt as (
               insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
               select id, (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = lost.id),
                      attempt, worker, started_at_ms, $5, 'lost', $2
               from lost
           )
           update job
           set state = lost.next_state,
               run_at_ms = case lost.next_state when 'waiting' then $5 else job.run_at_ms end,
               max_attempts = job.max_attempts + $3,
               finished_at_ms = case lost.next_state when 'waiting' then null else $5 end,
               error = $2, worker = null, lease_until_ms = null, cancel_requested = false
           from lost
           where job.id = lost.id"#,
        jobs,
        why,
        more,
        before,
        now.0
    );
    connections.execute(ended).await
}
