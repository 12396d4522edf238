//! `work`: runs jobs, and serves nothing.

use std::sync::Arc;

use store::{Clock, Store, SystemClock};
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::heartbeat::Heartbeat;
use super::prune::keep_pruning;
use super::service_manager;
use super::stop_signal::StopSignal;
use crate::app_state::WorkerSection;
use crate::cli::config::JobsSection;
use crate::lab::LabResources;
use crate::platform::random::Random;
use crate::worker::{JobEnvironment, run_worker, worker_settings};

/// A worker that is about to work, on a database that others may work on too.
pub struct Working {
    pub store: Arc<dyn Store>,
    pub clock: Arc<SystemClock>,
    pub random: Random,
    pub jobs: JobsSection,
    pub lab: LabResources,
}

/// Runs jobs until SIGTERM or SIGINT, then drains and returns.
pub async fn work(working: Working) -> Result<(), CommandError> {
    let Working { store, clock, random, jobs, lab } = working;
    // Before any job is begun: from then on a stop is a drain.
    let stop = StopSignal::listen()?;
    let settings = worker_settings(&jobs, &*store, &random);
    let worker = WorkerSection::of(&settings);
    let name = worker.name.clone();
    let stop_heart = CancellationToken::new();
    let heartbeat =
        Heartbeat { store: store.clone(), clock: clock.clone(), worker: Some(worker), started_at: clock.wall() };
    let heart = tokio::spawn(heartbeat.beat_until(stop_heart.clone()));
    let env = JobEnvironment { log: store.clone(), clock: clock.clone(), log_delay: jobs.log_delay, lab };
    let stop_worker = CancellationToken::new();
    let mut worker = tokio::spawn(run_worker(env, settings, stop_worker.clone()));
    let pruner = tokio::spawn(keep_pruning(store.clone(), clock));
    let status = format!("running jobs as {}", name.0);
    eprintln!("{status}");
    service_manager::ready(&status);
    let watchdog = tokio::spawn(service_manager::keep_watchdog_calm());
    tokio::select! {
        () = stop.given() => {}
        _ = &mut worker => return Err(CommandError("the worker broke down; the log above says why".to_owned())),
    }
    let status = format!("stopping: running jobs have {} s", jobs.grace.as_secs());
    tracing::info!("{status}");
    service_manager::stopping(&status);
    stop_worker.cancel();
    pruner.abort();
    worker.await.map_err(|error| CommandError(format!("the worker broke down: {error}")))?;
    stop_heart.cancel();
    heart.await.map_err(|error| CommandError(format!("the heartbeat broke down: {error}")))?;
    store.close().await;
    watchdog.abort();
    tracing::info!("stopped");
    Ok(())
}
