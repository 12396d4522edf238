//! Composes the jobs into a worker.

use std::sync::Arc;
use std::time::Duration;

use queue::{Backoff, JobError, JobOutcome, Payload, Settings, decode};
use store::{AttemptResult, ClaimedJob, Clock, FinishedAttempt, Store, WorkerName};
use tokio_util::sync::CancellationToken;

use crate::cli::config::JobsSection;
use crate::lab::{LabResources, LabRun, lab_run};
use crate::platform::random::Random;
use crate::platform::reporter::Reporter;
use crate::search::log_request::{LogRequest, log_request};
use crate::system::probe::Probe;

/// How long an attempt may take beyond the delay that was asked for.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Renewed every 5 s; another process waits this long before it takes over from one that died.
const LEASE: Duration = Duration::from_secs(15);
/// Less than anybody can see on a page that shows rows as they come.
const CLAIM_DEBOUNCE: Duration = Duration::from_millis(10);

/// No retry waits longer than this, so nothing that an earlier process scheduled should either;
/// see [`store::JobQueue::rescue_orphans`].
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);

/// What jobs work with. No request is in here: there is none any more.
#[derive(Clone)]
pub struct JobEnvironment {
    pub log: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// How long each log write sleeps first.
    pub log_delay: Duration,
    pub lab: LabResources,
}

/// The settings of this process's worker on this store.
#[must_use]
pub fn worker_settings(jobs: &JobsSection, store: &dyn Store, random: &Random) -> Settings {
    let dice = random.clone();
    Settings {
        // The process id alone comes back after a reboot; the random part does not.
        worker: WorkerName(format!("{}-{:08x}", std::process::id(), u32::from_be_bytes(random.bytes()))),
        slots: jobs.workers.get(),
        claim_debounce: CLAIM_DEBOUNCE,
        lease: LEASE,
        timeout: TIMEOUT.saturating_add(jobs.log_delay),
        backoff: Backoff { first: Duration::from_secs(1), limit: LONGEST_BACKOFF },
        grace: jobs.grace,
        shares_store: store.is_shared(),
        jitter: Arc::new(move || dice.roll()),
    }
}

/// Runs jobs until `stop` is cancelled and the drain is over.
pub async fn run_worker(env: JobEnvironment, settings: Settings, stop: CancellationToken) {
    let (queue, clock, worker) = (env.log.clone(), env.clock.clone(), settings.worker.clone());
    let perform = move |job| perform(job, worker.clone(), env.clone());
    queue::run(queue, clock, settings, perform, stop).await;
}

/// The list of what this worker can do.
async fn perform(job: ClaimedJob, worker: WorkerName, env: JobEnvironment) -> Result<JobOutcome, JobError> {
    let done = || FinishedAttempt {
        job: job.id,
        attempt: job.attempt,
        worker: worker.clone(),
        finish: AttemptResult::Done,
        now: env.clock.steady(),
        wall: env.clock.wall(),
    };
    match job.kind.as_str() {
        LogRequest::KIND => return log_request(decode(&job.payload)?, done, &env).await,
        LabRun::KIND => {
            let (lab, reporter) =
                (env.lab.clone(), Reporter { env: env.clone(), job: job.id, attempt: job.attempt, worker });
            // Boxed, because it is large and rare: every job's future would have room for it.
            Box::pin(lab_run(decode(&job.payload)?, lab, reporter)).await?;
        }
        Probe::KIND => drop(decode::<Probe>(&job.payload)?),
        other => return Err(JobError::Dead(format!("this worker does not know jobs of kind {other}"))),
    }
    Ok(JobOutcome::Done)
}
