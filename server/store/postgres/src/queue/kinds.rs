//! Kinds of jobs: which there are, and what an administrator has decided for them.

use api::JobCounts;
use store::codec::{count, job_state};
use store::{Result, StoredKind};

use crate::connections::{Connections, in_time};

pub(super) async fn kinds(connections: &Connections) -> Result<Vec<StoredKind>> {
    let statement = sqlx::query!(
        r#"with line as (
               select kind, state, count from total where what = 'jobs'
               union all
               select kind, state, by from tally where what = 'jobs' and xid >= (select up_to from folded)
           )
           select job_kind.kind, paused, concurrency, line.state as "state?", sum(line.count)::bigint as "count?"
           from job_kind
           left join line on line.kind = job_kind.kind
           group by job_kind.kind, line.state
           order by job_kind.kind collate "C""#
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    let mut kinds: Vec<StoredKind> = Vec::new();
    for row in connection.settle(rows).await? {
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

/// Returns false where there is no such kind.
pub(super) async fn set_paused(connections: &Connections, kind: &str, paused: bool) -> Result<bool> {
    let statement = sqlx::query!("update job_kind set paused = $1 where kind = $2", paused, kind);
    let mut connection = connections.get().await?;
    let changed = in_time(statement.execute(&mut *connection)).await;
    connection.settle(changed).await.map(|changed| changed.rows_affected() > 0)
}

/// Returns false where the kind is known already.
pub(super) async fn register(connections: &Connections, kind: &str, limit: Option<u32>) -> Result<bool> {
    let statement = sqlx::query!(
        "insert into job_kind (kind, concurrency) values ($1, $2) on conflict (kind) do nothing",
        kind,
        limit.map(i64::from)
    );
    let mut connection = connections.get().await?;
    let registered = in_time(statement.execute(&mut *connection)).await;
    connection.settle(registered).await.map(|registered| registered.rows_affected() > 0)
}

/// Returns false where there is no such kind.
pub(super) async fn limit(connections: &Connections, kind: &str, limit: Option<u32>) -> Result<bool> {
    let statement = sqlx::query!("update job_kind set concurrency = $1 where kind = $2", limit.map(i64::from), kind);
    let mut connection = connections.get().await?;
    let changed = in_time(statement.execute(&mut *connection)).await;
    connection.settle(changed).await.map(|changed| changed.rows_affected() > 0)
}
