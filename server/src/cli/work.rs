//! `work`: runs jobs, and serves nothing.

use std::sync::Arc;

use store::{Clock, Store, SystemClock};
use tokio_util::sync::CancellationToken;

use super::config::JobsSection;
use super::until_stopped::{Process, Status, run_until_stopped};
use crate::lab::LabResources;
use crate::platform::output::say;
use crate::platform::random::Random;
use crate::system::Pruning;
use crate::worker::{JobContext, worker_settings};

/// What a worker needs. Other processes may use the same database.
pub struct Working {
    pub store: Arc<dyn Store>,
    pub clock: Arc<SystemClock>,
    pub random: Random,
    pub jobs: JobsSection,
    pub lab: LabResources,
}

/// Runs jobs until `stop` is cancelled, then drains and returns.
pub async fn work(working: Working, stop: CancellationToken) -> anyhow::Result<()> {
    let Working { store, clock, random, jobs, lab } = working;
    let settings = worker_settings(jobs.worker_options(), &*store, &random);
    let status = Status {
        ready: format!("running jobs as {}", settings.worker.0),
        stopping: format!("stopping: running jobs have {} s", jobs.grace.as_secs()),
    };
    say(&status.ready);
    let context = JobContext { store: store.clone(), clock: clock.clone(), log_delay: jobs.log_delay, lab };
    let (started_at, pruning) = (clock.wall(), Pruning::default());
    let process = Process { store, started_at, clock, worker: Some((context, settings)), pruning };
    run_until_stopped(process, status, stop, async || {}).await
}
