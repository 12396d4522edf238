//! A process's signs of life, and its agreement with the database on what time it is.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use store::{Beat, Clock, Store, SystemClock};
use tokio_util::sync::CancellationToken;

use crate::app_state::WorkerSection;
use crate::system::host;

/// Often beside a lease, so that a worker that is gone is seen to be before its jobs go on elsewhere.
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// A worker that was not heard of for so long is of no interest any more.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// Beyond what networks and time servers do to a clock that is well.
const TELL_FROM_MS: i64 = 1_000;

/// Beats and follows the database's clock, each process for itself.
pub(super) struct Heartbeat {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<SystemClock>,
    /// The worker of this process; none where it runs no jobs.
    pub(super) worker: Option<WorkerSection>,
    /// By the wall clock.
    pub(super) started_at: TimeMs,
}

impl Heartbeat {
    /// Beats from now until `stop`, and says then that the worker has ended in good order.
    ///
    /// Where nobody shares the database nobody looks: one beat is enough, and an idle process costs no SQL.
    pub(super) async fn beat_until(self, stop: CancellationToken) {
        tell_of_skew(self.clock.wall().0 - self.clock.steady().0);
        let mut is_well = true;
        loop {
            let beaten = self.follow_and_beat().await;
            match &beaten {
                Err(error) if is_well => tracing::warn!(%error, "the heartbeat failed; trying again"),
                Ok(()) if !is_well => tracing::info!("the heartbeat goes on"),
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
            tracing::warn!(%error, "that this worker has ended could not be said: it is forgotten after some time");
        }
    }

    async fn follow_and_beat(&self) -> store::Result<()> {
        let wrong_by_ms = self.clock.follow(self.store.time()).await?;
        if wrong_by_ms.abs() >= TELL_FROM_MS {
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
        };
        // Whoever owns the database alone knows that all others are gone, whatever their clocks have said.
        let forget_ms = i64::try_from(FORGET_AFTER.as_millis()).unwrap_or(i64::MAX);
        let forget_before = if self.store.is_shared() { TimeMs(at.0 - forget_ms) } else { TimeMs(i64::MAX) };
        self.store.beat(beat, forget_before).await
    }
}

/// Leases do not mind, but what people read is by this machine's own clock.
fn tell_of_skew(ahead_ms: i64) {
    if ahead_ms.abs() >= TELL_FROM_MS {
        tracing::warn!(ahead_ms, "this machine's clock and the database's differ: set both by the same time server");
    }
}
