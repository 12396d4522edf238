//! Deleting jobs of which nothing more is to be learned.

use api::{JobId, TimeMs};
use store::Result;

use crate::connections::{Connections, in_time};

/// "prune" in ASCII: who holds this lock is the one who prunes.
const PRUNES: i64 = 0x70_7275_6e65;

/// One process at a time: of several that begin together, the others find nothing to do.
pub(super) async fn prune(connections: &Connections, before: TimeMs, limit: u32) -> Result<u64> {
    let statement = sqlx::query!(
        "with turn as materialized (select pg_try_advisory_xact_lock($3) as is_ours)
         delete from job
         where (select is_ours from turn)
           and id in (
               select id from job
               where state in ('done', 'cancelled') and finished_at_ms < $1
                 and (kind <> 'log_request' or state = 'cancelled' or recorded)
               order by finished_at_ms, id limit $2
               for update skip locked
           )",
        before.0,
        i64::from(limit),
        PRUNES
    );
    let mut connection = connections.get().await?;
    let pruned = in_time(statement.execute(&mut *connection)).await;
    connection.settle(pruned).await.map(|pruned| pruned.rows_affected())
}

pub(super) async fn delete(connections: &Connections, id: JobId) -> Result<bool> {
    let statement = sqlx::query!(
        "delete from job
         where id = $1 and state in ('done', 'dead', 'cancelled') and (kind <> 'log_request' or recorded)",
        id.0
    );
    let mut connection = connections.get().await?;
    let deleted = in_time(statement.execute(&mut *connection)).await;
    connection.settle(deleted).await.map(|deleted| deleted.rows_affected() > 0)
}
