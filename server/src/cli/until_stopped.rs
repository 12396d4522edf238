//! The life cycle of the long-running commands `serve` and `work`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use api::TimeMs;
use queue::Settings;
use sd_notify::NotifyState;
use store::{Store, SystemClock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::heartbeat::Heartbeat;
use crate::platform::job::LocalWorker;
use crate::system::Pruning;
use crate::worker::{JobContext, run_worker};

pub(super) struct Process {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<SystemClock>,
    /// By the wall clock.
    pub(super) started_at: TimeMs,
    /// `None` if the process runs no jobs.
    pub(super) worker: Option<(JobContext, Settings)>,
    pub(super) pruning: Pruning,
}

/// The process's status for the log and the service manager.
pub(super) struct Status {
    pub(super) ready: String,
    pub(super) stopping: String,
}

/// Runs jobs and housekeeping until `stop` is cancelled. Then drains the worker and calls `drain`, both at once.
pub(super) async fn run_until_stopped(
    process: Process,
    status: Status,
    stop: CancellationToken,
    drain: impl AsyncFnOnce(),
) -> anyhow::Result<()> {
    let Process { store, clock, started_at, worker, pruning } = process;
    let local_worker = worker.as_ref().map(|(_, settings)| LocalWorker::of(settings));
    let (stop_heartbeat, stop_worker) = (CancellationToken::new(), CancellationToken::new());
    let heartbeat = Heartbeat {
        store: store.clone(),
        clock: clock.clone(),
        worker: local_worker,
        started_at,
        pruning: pruning.clone(),
    };
    let heartbeat = tokio::spawn(heartbeat.run_until(stop_heartbeat.clone()));
    let mut worker = match worker {
        Some((context, settings)) => tokio::spawn(run_worker(context, settings, stop_worker.clone())),
        None => tokio::spawn(stop_worker.clone().cancelled_owned()),
    };
    let pruner = AbortOnDropHandle::new(tokio::spawn(pruning.keep_pruning(store.clone(), clock)));
    notify(&[NotifyState::Ready, NotifyState::Status(&status.ready)]);
    let watchdog = AbortOnDropHandle::new(tokio::spawn(keep_watchdog_calm()));
    tokio::select! {
        () = stop.cancelled() => {}
        _ = &mut worker => bail!("the worker broke down; the log above says why"),
    }
    tracing::info!("{}", status.stopping);
    notify(&[NotifyState::Stopping, NotifyState::Status(&status.stopping)]);
    stop_worker.cancel();
    drop(pruner);
    drain().await;
    worker.await.context("the worker broke down")?;
    stop_heartbeat.cancel();
    heartbeat.await.context("the heartbeat broke down")?;
    store.close().await;
    drop(watchdog);
    tracing::info!("stopped");
    Ok(())
}

/// Reports what the process is doing to the service manager.
pub(super) fn show_status(status: &str) {
    notify(&[NotifyState::Status(status)]);
}

/// Feeds the service manager's watchdog, or returns at once if there is none (WATCHDOG_USEC). Keeps feeding it while
/// the database is missing: a restart would not bring the database back.
async fn keep_watchdog_calm() {
    // Half of the limit, as sd_watchdog_enabled(3) recommends: one beat may come late.
    let Some(every) = sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|every| *every > Duration::ZERO)
    else {
        return;
    };
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        // Spawned like any other task: if all threads of the runtime hang, no beat is sent.
        if tokio::spawn(async {}).await.is_ok() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

/// Notifies the service manager: systemd, or another one that sets NOTIFY_SOCKET.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager was not notified: its socket NOTIFY_SOCKET takes no message");
    }
}
