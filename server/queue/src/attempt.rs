//! Attempts at jobs, on their way from the dispatcher to the handler and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::JobId;
use store::{AttemptResult, ClaimedJob};
use tokio::sync::watch;

/// A handler's input: one job, or several that run together. See [`crate::run_grouped`].
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) jobs: Arc<[ClaimedJob]>,
    pub(crate) stop: watch::Receiver<Option<StopReason>>,
}

/// A handler's success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// The job is done, and the worker stores this result.
    Done,
    /// The handler has already stored the attempt's result, in one transaction with what it wrote.
    Stored,
}

impl From<()> for JobOutcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// Why a handler could not do its job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// A retry may succeed: the job runs again after its backoff, if it has attempts left.
    #[error("{0}")]
    Retry(String),
    /// A retry would not succeed either.
    #[error("{0}")]
    Dead(String),
}

/// Why the dispatcher stops an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// An administrator cancelled the job.
    Cancelled,
    /// The lease was lost: another worker may already run the job.
    Lost,
    /// The process stops and the grace time is over.
    Shutdown,
}

impl StopReason {
    /// The result of an attempt that is stopped.
    pub(crate) fn result(self) -> AttemptResult {
        match self {
            Self::Cancelled => AttemptResult::Cancelled,
            Self::Lost | Self::Shutdown => AttemptResult::Release,
        }
    }
}

/// An attempt that has ended, on its way back to the dispatcher.
#[derive(Debug)]
pub(crate) struct EndedAttempt {
    pub(crate) jobs: Arc<[ClaimedJob]>,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The handler has already stored the results.
    Stored,
    /// The result of each job, which the dispatcher stores.
    Reported(AttemptResult),
    /// Jobs that ran together did not succeed. Any of them may be the cause, so each runs alone.
    Split,
}

/// The attempts that a dispatcher has claimed and whose results are not stored yet.
///
/// Keyed by attempt, not by job: an attempt that lost its lease may still run when the same job is claimed again.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    attempts: BTreeMap<(JobId, u32), Running>,
}

#[derive(Debug)]
struct Running {
    /// Shared by jobs that run together: to stop one of them, all are stopped, and the others run again.
    sender: watch::Sender<Option<StopReason>>,
    /// Why this job is stopped. The first reason counts.
    reason: Option<StopReason>,
}

impl InFlight {
    pub(crate) fn len(&self) -> usize {
        self.attempts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// The jobs, each once.
    pub(crate) fn jobs(&self) -> Vec<JobId> {
        let mut jobs: Vec<JobId> = self.attempts.keys().map(|&(job, _)| job).collect();
        jobs.dedup();
        jobs
    }

    /// Adds jobs that run together, or one alone. A job of a group that was taken apart gets a new stop signal.
    pub(crate) fn add(&mut self, jobs: Arc<[ClaimedJob]>) -> Attempt {
        // A later attempt means that the earlier ones have ended or lost their lease.
        jobs.iter().filter(|job| job.attempt > 1).for_each(|job| self.stop(job.id, StopReason::Lost));
        let (sender, stop) = watch::channel(None);
        let running = |job: &ClaimedJob| ((job.id, job.attempt), Running { sender: sender.clone(), reason: None });
        self.attempts.extend(jobs.iter().map(running));
        Attempt { jobs, stop }
    }

    pub(crate) fn remove(&mut self, job: JobId, attempt: u32) {
        self.attempts.remove(&(job, attempt));
    }

    /// Why an attempt is stopped. `None` if it may run.
    pub(crate) fn stop_reason(&self, job: JobId, attempt: u32) -> Option<StopReason> {
        self.attempts.get(&(job, attempt))?.reason
    }

    /// Stops all attempts at a job that still run.
    pub(crate) fn stop(&mut self, job: JobId, reason: StopReason) {
        self.attempts.range_mut((job, 0)..=(job, u32::MAX)).for_each(|(_, running)| running.stop(reason));
    }

    pub(crate) fn stop_all(&mut self, reason: StopReason) {
        self.attempts.values_mut().for_each(|running| running.stop(reason));
    }
}

impl Running {
    fn stop(&mut self, reason: StopReason) {
        if self.reason.is_none() {
            self.reason = Some(reason);
            self.sender.send_if_modified(|sent| sent.replace(reason).is_none());
        }
    }
}
