//! Admin actions on jobs.

use api::{AuditAction, JobId, JobState, TimeMs};
use store::codec::job_state;
use store::{ChangedTopics, Result, Signature, Topic};

use crate::connections::Connections;

/// "prune" in ASCII. One process at a time holds this lock and prunes.
const PRUNE_LOCK: i64 = 0x70_7275_6e65;

fn states_that(allow: impl Fn(JobState) -> bool) -> Vec<&'static str> {
    JobState::ALL.into_iter().filter(|&state| allow(state)).map(JobState::as_str).collect()
}

pub(super) async fn retry(connections: &Connections, id: JobId, now: TimeMs, by: &Signature) -> Result<bool> {
    // The next attempt takes the columns of the one that has done the job, which gets a row now.
    let retried = sqlx::query!(
        "with found as materialized (
             select id, state, attempt, done_by, started_at_ms, finished_at_ms
             from job where id = $2 and state = any ($3::text[]) for update
         ),
         stored_attempt as (
             insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome)
             select id, (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = found.id),
                    attempt, done_by, started_at_ms, finished_at_ms, 'done'
             from found where state = 'done' and done_by is not null
         ),
         retried as (
             update job
             set state = 'waiting', run_at_ms = $1, max_attempts = greatest(job.max_attempts, job.attempt + 1),
                 done_by = null, finished_at_ms = null, error = null, cancel_requested = false
             from found
             where job.id = found.id
             returning job.id, job.kind
         )
         insert into audit (at_ms, by_name, ip, action, job_id, target)
         select $4, $5, $6, $7, id, kind from retried",
        now.0,
        id.0,
        &states_that(JobState::can_retry) as _,
        by.at.0,
        by.by,
        by.ip,
        AuditAction::RetryJob.as_str()
    );
    Ok(connections.execute(retried).await? > 0)
}

/// Returns the changed topics, or `None` if there is nothing to cancel.
pub(super) async fn cancel(
    connections: &Connections,
    id: JobId,
    now: TimeMs,
    by: Option<&Signature>,
) -> Result<Option<ChangedTopics>> {
    let cancelled = sqlx::query_scalar!(
        r#"with found as materialized (
               select id, state as old_state from job where id = $2 and state = any ($3::text[]) for update
           ),
           cancelled as (
               update job
               set cancel_requested = (found.old_state = 'running'),
                   state = case found.old_state when 'running' then 'running' else 'cancelled' end,
                   finished_at_ms = case found.old_state when 'running' then job.finished_at_ms else $1 end
               from found
               where job.id = found.id
               returning job.id, job.kind, found.old_state
           ),
           signed as (
               insert into audit (at_ms, by_name, ip, action, job_id, target)
               select $4, $5, $6, $7, id, kind from cancelled where $4::bigint is not null
           )
           select old_state as "old_state!" from cancelled"#,
        now.0,
        id.0,
        &states_that(JobState::can_cancel) as _,
        by.map(|by| by.at.0),
        by.and_then(|by| by.by.as_deref()),
        by.map(|by| by.ip.as_str()),
        AuditAction::CancelJob.as_str()
    );
    let Some(old_state) = connections.fetch_optional(cancelled).await? else { return Ok(None) };
    let mut changed = ChangedTopics::topics(&[Topic::Jobs]);
    match job_state(&old_state)? {
        JobState::Running => changed.topic(Topic::Cancel),
        old_state => changed.left(old_state),
    }
    Ok(Some(changed))
}

/// One process at a time prunes. Others that start at the same time do nothing.
pub(super) async fn prune(connections: &Connections, before: TimeMs, limit: u32) -> Result<u64> {
    let pruned = sqlx::query!(
        "with prune_lock as materialized (select pg_try_advisory_xact_lock($3) as is_ours)
         delete from job
         where (select is_ours from prune_lock)
           and id in (
               select id from job
               where state in ('done', 'cancelled') and finished_at_ms < $1
                 and (kind <> 'log_request' or state = 'cancelled' or recorded)
               order by finished_at_ms, id limit $2
               for update skip locked
           )",
        before.0,
        i64::from(limit),
        PRUNE_LOCK
    );
    connections.execute(pruned).await
}

pub(super) async fn delete(connections: &Connections, id: JobId, by: Option<&Signature>) -> Result<bool> {
    let is_deleted = sqlx::query_scalar!(
        r#"with deleted as (
               delete from job
               where id = $1 and state in ('done', 'dead', 'cancelled') and (kind <> 'log_request' or recorded)
               returning id, kind
           ),
           signed as (
               insert into audit (at_ms, by_name, ip, action, job_id, target)
               select $2, $3, $4, $5, id, kind from deleted where $2::bigint is not null
           )
           select exists (select 1 from deleted) as "is_deleted!""#,
        id.0,
        by.map(|by| by.at.0),
        by.and_then(|by| by.by.as_deref()),
        by.map(|by| by.ip.as_str()),
        AuditAction::DeleteJob.as_str()
    );
    connections.fetch_one(is_deleted).await
}
