//! Composes the jobs into an apalis worker. Nothing else here names apalis.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{Data, WorkerBuilder, WorkerBuilderExt};
use queue::{Attempt, Backoff, JobError, Payload, Settings, decode};
use store::{Clock, Store, WorkerName};
use tokio_util::sync::CancellationToken;

use super::log_request::{LogRequest, log_request};
use crate::random::Random;

/// How long an attempt may take beyond the delay that was asked for.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Renewed every 5 s; another process waits this long before it takes over from one that died.
const LEASE: Duration = Duration::from_secs(15);

/// What jobs work with. No request is in here: there is none any more.
#[derive(Clone)]
pub struct JobEnvironment {
    pub log: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// How long each log write sleeps first.
    pub log_delay: Duration,
}

/// The settings of this process's worker. `slots` jobs run side by side.
#[must_use]
pub fn worker_settings(slots: usize, grace: Duration, log_delay: Duration, random: &Random) -> Settings {
    let dice = random.clone();
    Settings {
        // The process id alone comes back after a reboot; the random part does not.
        worker: WorkerName(format!("{}-{:08x}", std::process::id(), u32::from_be_bytes(random.bytes()))),
        slots,
        lease: LEASE,
        timeout: TIMEOUT.saturating_add(log_delay),
        backoff: Backoff { first: Duration::from_secs(1), limit: Duration::from_secs(15 * 60) },
        grace,
        roll: Arc::new(move || dice.roll()),
    }
}

/// Runs jobs until `stop` is cancelled and the drain is over.
pub async fn run_worker(env: JobEnvironment, settings: Settings, stop: CancellationToken) {
    let slots = settings.slots;
    let name = settings.worker.0.clone();
    let (dispatcher, backend) = queue::open(env.log.clone(), env.clock.clone(), settings);
    let worker = WorkerBuilder::new(name).backend(backend).data(env).concurrency(slots).build(perform);
    let (worker_end, ()) = tokio::join!(worker.run(), dispatcher.run(stop));
    if let Err(error) = worker_end {
        tracing::error!(%error, "the worker ended with an error");
    }
}

/// The list of what this worker can do.
async fn perform(attempt: Attempt, env: Data<JobEnvironment>) -> Result<(), JobError> {
    let job = attempt.job;
    match job.kind.as_str() {
        LogRequest::KIND => log_request(decode(&job.payload)?, job.id, &env).await,
        other => Err(JobError::Dead(format!("this worker does not know jobs of kind {other}"))),
    }
}
