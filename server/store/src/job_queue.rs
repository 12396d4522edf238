//! What a worker asks of the queue. Each method is one transaction, durable when it returns.
//!
//! Times that decide when something happens (`now`, `until`) are [`crate::Clock::steady`]. Times that are only displayed
//! are [`crate::Clock::wall`].

use std::time::Duration;

use api::{AttemptOutcome, JobId, TimeMs};
use async_trait::async_trait;

use crate::{Result, Subscription, Topic};

/// The error of an attempt whose process ended during it.
pub const WORKER_STOPPED: &str = "The worker stopped before it reported a result.";

#[async_trait]
pub trait JobQueue: Send + Sync + 'static {
    /// Adds a job, unless a job of its kind already has this key.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued>;

    /// Claims waiting jobs and due scheduled or retrying ones, by priority and then age. They are running from then on,
    /// under a lease. Skips paused kinds, and never exceeds a kind's limit.
    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>>;

    /// When the next scheduled or retrying job is due.
    async fn next_due(&self) -> Result<Option<TimeMs>>;

    /// Renews the leases that `worker` still holds. Returns those of `jobs` that it no longer holds: they are lost, and
    /// their results will be rejected.
    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>>;

    /// Stores the results of attempts. An attempt that the worker no longer holds (by worker and attempt number) changes
    /// nothing. Returns how many were stored.
    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64>;

    /// Stores the progress of a running attempt, and appends to its job's output. Returns false, and changes
    /// nothing, if the worker no longer holds the attempt (by worker and attempt number). A report that fails may still
    /// have been stored, if only its response was lost.
    async fn report(&self, report: JobReport) -> Result<bool>;

    /// Ends the attempts whose lease expired before `now` as lost. Their jobs wait again, or are dead after their last
    /// attempt. Returns how many.
    async fn expire_leases(&self, now: TimeMs) -> Result<u64>;

    /// Ends all running attempts as lost, whatever their lease, and lets their jobs wait again. For the start of a
    /// process that owns its database exclusively.
    ///
    /// Each job gets one more attempt: the process ended, but the job did not fail, and repeated kills must not use up a
    /// job's attempts. Also lowers every `run_at` to at most `latest`, so that a clock that was once wrong cannot delay a
    /// job for ever.
    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64>;

    /// The running jobs of `worker` whose cancellation was requested.
    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>>;

    /// Subscribes to a wake-up after each commit that changed `topic`.
    fn subscribe(&self, topic: Topic) -> Subscription;
}

/// A worker's name, unique among all processes that ever ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerName(pub String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    pub kind: String,
    /// Unique among the jobs of this kind.
    pub key: Option<String>,
    /// The job's input, which the store neither reads nor changes. May hold any character but NUL.
    pub payload: String,
    /// Higher priorities run sooner. 0 is the default.
    pub priority: i16,
    pub max_attempts: u32,
    /// For display.
    pub created_at: TimeMs,
    /// If later than `now`, the job is scheduled. Otherwise it waits.
    pub run_at: TimeMs,
    pub now: TimeMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    New(JobId),
    /// A job of this kind and key already exists. It was not changed.
    Exists(JobId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub worker: WorkerName,
    pub limit: u32,
    pub now: TimeMs,
    pub lease_until: TimeMs,
    /// Displayed as the attempt's start.
    pub wall: TimeMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    /// Counted from 1.
    pub attempt: u32,
    pub max_attempts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedAttempt {
    pub job: JobId,
    pub attempt: u32,
    pub worker: WorkerName,
    pub result: AttemptResult,
    pub now: TimeMs,
    /// Displayed as the attempt's end.
    pub wall: TimeMs,
}

/// How an attempt ended, as its worker reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    Done,
    /// Failed. Runs again `after` this time, or is dead if this was the last attempt.
    Retry {
        error: String,
        after: Duration,
    },
    /// Failed, and a retry would not help.
    Dead {
        error: String,
    },
    Cancelled,
    /// Interrupted, for instance by a shutdown. Waits again, and the attempt does not count.
    Release,
}

impl AttemptResult {
    /// The outcome in the attempt's history.
    pub fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::Done => AttemptOutcome::Done,
            Self::Retry { .. } => AttemptOutcome::Failed,
            Self::Dead { .. } => AttemptOutcome::Dead,
            Self::Cancelled => AttemptOutcome::Cancelled,
            Self::Release => AttemptOutcome::Released,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Retry { error, .. } | Self::Dead { error } => Some(error),
            Self::Done | Self::Cancelled | Self::Release => None,
        }
    }
}

/// The progress of a running attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    pub job: JobId,
    pub attempt: u32,
    pub worker: WorkerName,
    /// From 0 to 100. The store rejects more.
    pub percent: u8,
    /// A short note for display.
    pub note: String,
    /// The next part of the job's output, if any.
    pub part: Option<String>,
    /// The job's machine-readable result. `None` keeps the stored one.
    pub result: Option<String>,
}
