//! Keeps the tally short.

use store::Result;

use crate::connections::{Connections, in_time};

/// "fold" in ASCII: who holds this lock is the one who folds.
const FOLDS: i64 = 0x666f_6c64;

/// Adds up what transactions have noted, into one line for each figure.
///
/// Only what no transaction can add to any more: those before the oldest that is still at work. Readers begin where this
/// has ended, so what it deletes costs them nothing, however long a transaction keeps it from being cleared up.
pub(crate) async fn fold(connections: &Connections) -> Result<()> {
    let statement = sqlx::query!(
        "with horizon as materialized (
             select pg_snapshot_xmin(pg_current_snapshot()) as xid, folded.up_to
             from folded where pg_try_advisory_xact_lock($1)
         ),
         gone as (
             delete from tally using horizon
             where tally.xid >= horizon.up_to and tally.xid < horizon.xid
             returning what, kind, state, by
         ),
         added as (
             insert into total (what, kind, state, count)
             select what, kind, state, sum(by) from gone group by what, kind, state
             on conflict (what, kind, state) do update set count = total.count + excluded.count
         )
         update folded set up_to = horizon.xid from horizon where horizon.xid > folded.up_to",
        FOLDS
    );
    let mut connection = connections.get().await?;
    let folded = in_time(statement.execute(&mut *connection)).await;
    connection.settle(folded).await.map(drop)
}
