//! The worker: every kind of job that this process runs.

use std::sync::Arc;
use std::time::Duration;

use queue::{Backoff, JobError, JobOutcome, Payload, Settings, decode};
use store::{ClaimedJob, Clock, Store, WorkerName};
use tokio_util::sync::CancellationToken;

use crate::lab::{LabResources, LabRun, lab_run};
use crate::platform::job::Attempt;
use crate::platform::random::Random;
use crate::search::log_request::{LogRequest, log_requests};
use crate::system::Probe;

/// How long an attempt may take beyond the configured delay.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Renewed every 5 s. Another process waits this long before it takes over from one that died.
const LEASE: Duration = Duration::from_secs(15);
/// Too short to notice on a page that shows new rows.
const CLAIM_DEBOUNCE: Duration = Duration::from_millis(10);

/// No retry waits longer than this, so nothing that an earlier process scheduled should either;
/// see [`store::JobQueue::rescue_orphans`].
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);

/// How a worker is configured.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// The most jobs that run at once.
    pub slots: usize,
    /// How long each log write sleeps first.
    pub log_delay: Duration,
    /// How long running jobs may continue after a stop.
    pub grace: Duration,
}

/// What jobs work with. It holds nothing of a request, because a job outlives its request.
#[derive(Clone)]
pub struct JobContext {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub log_delay: Duration,
    pub lab: LabResources,
}

/// The settings of this process's worker on this store.
pub fn worker_settings(options: WorkerOptions, store: &dyn Store, random: &Random) -> Settings {
    let jitter = random.clone();
    Settings {
        // Process ids repeat after a reboot; the random part does not.
        worker: WorkerName(format!("{}-{:08x}", std::process::id(), u32::from_be_bytes(random.bytes()))),
        slots: options.slots,
        claim_debounce: CLAIM_DEBOUNCE,
        lease: LEASE,
        timeout: TIMEOUT.saturating_add(options.log_delay),
        backoff: Backoff { first: Duration::from_secs(1), limit: LONGEST_BACKOFF },
        grace: options.grace,
        shares_store: store.is_shared(),
        jitter: Arc::new(move || jitter.jitter()),
    }
}

/// Runs jobs until `stop` is cancelled and the drain is over.
pub async fn run_worker(context: JobContext, settings: Settings, stop: CancellationToken) {
    let (queue, clock, worker) = (context.store.clone(), context.clock.clone(), settings.worker.clone());
    // With a delay, a job that is cancelled would let all others of its group sleep again.
    let grouped = context.log_delay.is_zero().then_some(LogRequest::KIND);
    let perform = move |jobs| perform(jobs, worker.clone(), context.clone());
    queue::run_grouped(queue, clock, settings, grouped, perform, stop).await;
}

/// Log jobs may come together, see [`queue::run_grouped`]. Jobs of all other kinds come alone: one arm for each.
async fn perform(jobs: Arc<[ClaimedJob]>, worker: WorkerName, context: JobContext) -> Result<JobOutcome, JobError> {
    let JobContext { store, clock, log_delay, lab } = context;
    let job = &jobs[0];
    if job.kind == LogRequest::KIND {
        return log_requests(&jobs, worker, log_delay, &*store, &*clock).await;
    }
    let attempt = Attempt { store, clock, job: job.id, number: job.attempt, worker };
    match job.kind.as_str() {
        // Boxed, because it is large and rare: otherwise it would enlarge the future of every job.
        LabRun::KIND => Box::pin(lab_run(decode(&job.payload)?, lab, &attempt)).await?,
        Probe::KIND => drop(decode::<Probe>(&job.payload)?),
        other => return Err(JobError::Dead(format!("this worker does not know jobs of the type {other}"))),
    }
    Ok(JobOutcome::Done)
}
