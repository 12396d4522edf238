//! One attempt at a job, as it travels from the dispatcher to the worker and back.

use api::JobId;
use store::{AttemptResult, ClaimedJob};
use tokio::sync::watch;

/// What a handler is given.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) job: ClaimedJob,
    pub(crate) stop: watch::Receiver<Option<StopReason>>,
}

/// How a handler has done its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// The worker stores that it is done.
    Done,
    /// The handler has stored the end of its attempt itself, in one transaction with what it wrote.
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
    /// May work next time: the job runs again after its backoff, while it has attempts left.
    #[error("{0}")]
    Retry(String),
    /// Will not work next time either.
    #[error("{0}")]
    Dead(String),
}

/// Why the dispatcher stops an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// An administrator cancelled the job.
    Cancelled,
    /// The lease was lost: another worker may have the job by now.
    Lost,
    /// The process stops and the grace time is over.
    Shutdown,
}

/// What came of an attempt, on its way back to the dispatcher.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) job: JobId,
    pub(crate) attempt: u32,
    /// None where it is stored already.
    pub(crate) finish: Option<AttemptResult>,
}
