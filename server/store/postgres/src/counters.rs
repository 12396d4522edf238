//! The counters of jobs and searches: compacted totals, and the deltas that transactions have added since.

use std::sync::atomic::{AtomicU64, Ordering};

use store::Result;

use crate::connections::Connections;

/// Compact after this many statements: each adds a row for every counter that it changes.
const COMPACT_EVERY: u64 = 256;

/// "fold" in ASCII. One process at a time holds this lock and compacts.
const COMPACT_LOCK: i64 = 0x666f_6c64;

/// Adds the deltas up, into one row for each counter.
///
/// Only deltas of transactions before the oldest active one, because no more of those can appear. Readers start where
/// this has ended, so the deleted rows cost them nothing, even while a long transaction keeps vacuum from removing
/// them.
pub(crate) async fn compact(connections: &Connections) -> Result<()> {
    let compacted = sqlx::query!(
        "with horizon as materialized (
             select pg_snapshot_xmin(pg_current_snapshot()) as xid, folded.up_to
             from folded where pg_try_advisory_xact_lock($1)
         ),
         compacted as (
             delete from tally using horizon
             where tally.xid >= horizon.up_to and tally.xid < horizon.xid
             returning what, kind, state, by
         ),
         added as (
             insert into total (what, kind, state, count)
             select what, kind, state, sum(by) from compacted group by what, kind, state
             on conflict (what, kind, state) do update set count = total.count + excluded.count
         )
         update folded set up_to = horizon.xid from horizon where horizon.xid > folded.up_to",
        COMPACT_LOCK
    );
    connections.execute(compacted).await.map(drop)
}

/// Compacts in the background, once in [`COMPACT_EVERY`] statements.
#[derive(Debug, Default)]
pub(crate) struct Compactor {
    statements: AtomicU64,
}

impl Compactor {
    pub(crate) fn count_statement(&self, connections: &Connections) {
        if (self.statements.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(COMPACT_EVERY) {
            let connections = connections.clone();
            tokio::spawn(async move {
                // Nothing depends on it, and the next compaction also does the work of a failed one.
                if let Err(error) = compact(&connections).await {
                    tracing::debug!(%error, "the counters were not compacted");
                }
            });
        }
    }
}
