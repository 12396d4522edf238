//! Deletes what is over, in every process that runs jobs or serves.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use store::{Clock, Store};

/// Jobs that are done or cancelled are kept for a week.
const KEEP_JOBS: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);
/// So many jobs are deleted at a time, so that a commit stays short for those who wait behind it.
const PRUNE_LIMIT: u32 = 1_000;

/// Deletes what is over, now and each hour.
pub(super) async fn keep_pruning(store: Arc<dyn Store>, clock: Arc<dyn Clock>) {
    loop {
        let now = clock.wall();
        let before = TimeMs(now.0 - i64::try_from(KEEP_JOBS.as_millis()).unwrap_or(0));
        if let Err(error) = prune_once(&*store, before, now).await {
            tracing::warn!(%error, "what is over could not be deleted; trying again in an hour");
        }
        clock.sleep_until(clock.steady().after(PRUNE_EVERY)).await;
    }
}

async fn prune_once(store: &dyn Store, before: TimeMs, now: TimeMs) -> store::Result<()> {
    while store.prune_jobs(before, PRUNE_LIMIT).await? > 0 {}
    store.prune_sessions(now).await.map(drop)
}
