//! Deletes old jobs and sessions that have ended, and knows whether that works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::TimeMs;
use prometheus_client::metrics::counter::Counter;
use store::{Clock, PruningFailure, Store};

/// How long jobs that are done or cancelled are kept.
const KEEP_JOBS: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);
/// How many jobs one commit deletes. It must be short for the writes that wait for it.
const PRUNE_LIMIT: u32 = 1_000;
/// Pause after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(5 * 60);
/// A single failure may be that of a database that is away for a moment.
const SHOWN_FROM: u32 = 2;

/// How deleting goes in this process.
#[derive(Clone, Debug, Default)]
pub struct Pruning {
    pub failures: Counter,
    last: Arc<Mutex<Option<PruningFailure>>>,
}

impl Pruning {
    /// Why nothing is deleted, if several attempts in a row have failed.
    pub fn failure(&self) -> Option<PruningFailure> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|failure| failure.in_a_row >= SHOWN_FROM)
    }

    /// Deletes now and every hour; after a failure it tries again sooner.
    pub async fn keep_pruning(self, store: Arc<dyn Store>, clock: Arc<dyn Clock>) {
        loop {
            let pruned = prune_once(&*store, clock.steady()).await;
            let pause = match &pruned {
                Ok(()) => PRUNE_EVERY,
                Err(_) => RETRY_AFTER,
            };
            self.note(pruned);
            clock.sleep_until(clock.steady().after(pause)).await;
        }
    }

    fn note(&self, pruned: store::Result<()>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(error) = pruned else {
            if last.take().is_some() {
                tracing::info!("old jobs and sessions are deleted again");
            }
            return;
        };
        self.failures.inc();
        if last.is_none() {
            tracing::warn!(%error, "old jobs and sessions could not be deleted; trying again");
        }
        let in_a_row = last.map_or(1, |failure| failure.in_a_row.saturating_add(1));
        *last = Some(PruningFailure { in_a_row, kind: error.kind() });
    }
}

async fn prune_once(store: &dyn Store, now: TimeMs) -> store::Result<()> {
    let before = TimeMs(now.0 - i64::try_from(KEEP_JOBS.as_millis()).unwrap_or(0));
    while store.prune_jobs(before, PRUNE_LIMIT).await? > 0 {}
    store.prune_sessions(now).await.map(drop)
}
