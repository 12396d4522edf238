//! One attempt at a job, on its way from the dispatcher to the handler and back.

use std::collections::BTreeMap;

use api::JobId;
use store::{AttemptResult, ClaimedJob};
use tokio::sync::watch;

/// A handler's input.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) job: ClaimedJob,
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

/// An attempt that has ended, on its way back to the dispatcher.
#[derive(Debug)]
pub(crate) struct EndedAttempt {
    pub(crate) job: JobId,
    pub(crate) attempt: u32,
    /// `None` if the handler has already stored it.
    pub(crate) result: Option<AttemptResult>,
}

/// The attempts that a dispatcher has claimed and whose results are not stored yet.
///
/// Keyed by attempt, not by job: an attempt that lost its lease may still run when the same job is claimed again.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    attempts: BTreeMap<(JobId, u32), watch::Sender<Option<StopReason>>>,
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

    pub(crate) fn add(&mut self, job: ClaimedJob) -> Attempt {
        // The job could be claimed again, so its earlier attempts have lost their lease.
        if job.attempt > 1 {
            self.stop(job.id, StopReason::Lost);
        }
        let (sender, stop) = watch::channel(None);
        self.attempts.insert((job.id, job.attempt), sender);
        Attempt { job, stop }
    }

    pub(crate) fn remove(&mut self, job: JobId, attempt: u32) {
        self.attempts.remove(&(job, attempt));
    }

    /// Stops all attempts at a job that still run.
    pub(crate) fn stop(&self, job: JobId, reason: StopReason) {
        self.attempts.range((job, 0)..=(job, u32::MAX)).for_each(|(_, sender)| send_once(sender, reason));
    }

    pub(crate) fn stop_all(&self, reason: StopReason) {
        self.attempts.values().for_each(|sender| send_once(sender, reason));
    }
}

/// Keeps the first reason.
fn send_once(sender: &watch::Sender<Option<StopReason>>, reason: StopReason) {
    sender.send_if_modified(|current| {
        let is_first = current.is_none();
        current.get_or_insert(reason);
        is_first
    });
}
