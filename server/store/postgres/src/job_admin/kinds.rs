//! Kinds of jobs, with an administrator's settings.

use api::{AuditAction, JobCounts};
use store::codec::{count, job_state};
use store::{Result, Signature, StoredKind};

use crate::connections::Connections;

pub(super) async fn kinds(connections: &Connections) -> Result<Vec<StoredKind>> {
    let rows = sqlx::query!(
        r#"with counter as (
               select kind, state, count from total where what = 'jobs'
               union all
               select kind, state, by from tally where what = 'jobs' and xid >= (select up_to from folded)
           )
           select job_kind.kind, paused, concurrency, counter.state as "state?", sum(counter.count)::bigint as "count?"
           from job_kind
           left join counter on counter.kind = job_kind.kind
           group by job_kind.kind, counter.state
           order by job_kind.kind collate "C""#
    );
    let mut kinds: Vec<StoredKind> = Vec::new();
    for row in connections.fetch_all(rows).await? {
        if kinds.last().is_none_or(|last| last.kind != row.kind) {
            let limit = row.concurrency.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
            kinds.push(StoredKind { kind: row.kind, paused: row.paused, limit, counts: JobCounts::default() });
        }
        if let (Some(kind), Some(state), Some(jobs)) = (kinds.last_mut(), row.state, row.count) {
            kind.counts.set(job_state(&state)?, count(jobs));
        }
    }
    Ok(kinds)
}

/// Returns false if the kind is already known.
pub(super) async fn register(connections: &Connections, kind: &str, limit: Option<u32>) -> Result<bool> {
    let registered = sqlx::query!(
        "insert into job_kind (kind, concurrency) values ($1, $2) on conflict (kind) do nothing",
        kind,
        limit.map(i64::from)
    );
    Ok(connections.execute(registered).await? > 0)
}

/// Returns false if there is no such kind.
pub(super) async fn set_paused(connections: &Connections, kind: &str, paused: bool, by: &Signature) -> Result<bool> {
    let action = if paused { AuditAction::PauseKind } else { AuditAction::ResumeKind };
    let changed = sqlx::query!(
        "with changed as (update job_kind set paused = $1 where kind = $2 returning kind)
         insert into audit (at_ms, by_name, ip, action, target) select $3, $4, $5, $6, kind from changed",
        paused,
        kind,
        by.at.0,
        by.by,
        by.ip,
        action.as_str()
    );
    Ok(connections.execute(changed).await? > 0)
}

/// Returns false if there is no such kind.
pub(super) async fn set_limit(
    connections: &Connections,
    kind: &str,
    limit: Option<u32>,
    by: &Signature,
) -> Result<bool> {
    let changed = sqlx::query!(
        "with changed as (update job_kind set concurrency = $1 where kind = $2 returning kind, concurrency)
         insert into audit (at_ms, by_name, ip, action, target, detail)
         select $3, $4, $5, $6, kind, concurrency::text from changed",
        limit.map(i64::from),
        kind,
        by.at.0,
        by.by,
        by.ip,
        AuditAction::LimitKind.as_str()
    );
    Ok(connections.execute(changed).await? > 0)
}
