//! The background task of every long-running process: its heartbeat, which also follows the database's clock.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use store::{Beat, Clock, Store, SystemClock};
use tokio_util::sync::CancellationToken;

use crate::platform::job::LocalWorker;
use crate::system::{Pruning, host};

/// Several beats per lease, so that a dead worker is shown as silent before its jobs continue elsewhere.
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// A worker without a heartbeat for this long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// Network delays and time servers cause smaller differences: beyond this, a clock is wrong.
const WARN_SKEW_MS: i64 = 1_000;

/// Writes the process's heartbeat, and follows the database's clock.
pub(super) struct Heartbeat {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<SystemClock>,
    /// This process's worker. `None` if it runs no jobs.
    pub(super) worker: Option<LocalWorker>,
    /// By the wall clock.
    pub(super) started_at: TimeMs,
    /// How deleting goes in this process. Other processes show it.
    pub(super) pruning: Pruning,
}

impl Heartbeat {
    /// Beats from now until `stop`, then records that the worker has ended cleanly.
    ///
    /// If no other process shares the database, it beats once, and an idle process runs no SQL.
    pub(super) async fn run_until(self, stop: CancellationToken) {
        warn_of_skew(self.clock.machine_ahead_ms());
        let mut is_well = true;
        loop {
            let beaten = self.follow_and_beat().await;
            match &beaten {
                Err(error) if is_well => tracing::warn!(%error, "the heartbeat failed; trying again"),
                Ok(()) if !is_well => tracing::info!("the heartbeat works again"),
                _ => {}
            }
            is_well = beaten.is_ok();
            let is_enough = is_well && !self.store.is_shared();
            let next = if is_enough { TimeMs(i64::MAX) } else { self.clock.steady().after(BEAT_EVERY) };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.clock.sleep_until(next) => {}
            }
        }
        if let Some(worker) = &self.worker
            && let Err(error) = self.store.retire(&worker.name).await
        {
            tracing::warn!(%error, "the end of this worker could not be recorded: the worker is forgotten after some time");
        }
    }

    async fn follow_and_beat(&self) -> store::Result<()> {
        let wrong_by_ms = self.clock.follow(self.store.time()).await?;
        if wrong_by_ms.abs() >= WARN_SKEW_MS {
            tracing::warn!(wrong_by_ms, "the time was corrected to the database's: one of both clocks has jumped");
        }
        let Some(worker) = &self.worker else { return Ok(()) };
        let at = self.clock.steady();
        let beat = Beat {
            worker: worker.name.clone(),
            host: host(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            slots: worker.slots,
            started_at: self.started_at,
            at,
            pruning: self.pruning.failure(),
        };
        // The only process on a database may forget all others at once, whatever their clocks said.
        let forget_ms = i64::try_from(FORGET_AFTER.as_millis()).unwrap_or(i64::MAX);
        let forget_before = if self.store.is_shared() { TimeMs(at.0 - forget_ms) } else { TimeMs(i64::MAX) };
        self.store.beat(beat, forget_before).await
    }
}

/// Leases and the times on pages are by the database's clock. Logs and certificates are by the machine's.
fn warn_of_skew(ahead_ms: i64) {
    if ahead_ms.abs() >= WARN_SKEW_MS {
        tracing::warn!(ahead_ms, "this machine's clock and the database's differ: set both by the same time server");
    }
}
