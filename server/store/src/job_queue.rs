//! What a worker asks of the queue. Each method is one transaction, durable when it returns.
//!
//! Times (`now`, `until`) are [`crate::Clock::steady`] where they decide when something
//! happens, and [`crate::Clock::wall`] where they are only shown.

use std::time::Duration;

use api::{AttemptOutcome, JobId, TimeMs};
use async_trait::async_trait;

use crate::{Result, Subscription, Topic};

#[async_trait]
pub trait JobQueue: Send + Sync + 'static {
    /// Adds a job, unless one of its kind has the same key already.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued>;

    /// Hands out waiting jobs, most urgent and then oldest first, and those scheduled or
    /// retrying whose time has come. They are running from then on, under a lease. Leaves out
    /// the kinds that are paused, and never lets more jobs of a kind run than its limit.
    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>>;

    /// When the earliest job that is scheduled or retrying will be due.
    async fn next_due(&self) -> Result<Option<TimeMs>>;

    /// Renews the leases that `worker` still holds. Returns those of `jobs` that it no longer holds: they were
    /// lost, and their results will be refused.
    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>>;

    /// Stores the results of attempts. One that the worker no longer holds (by worker and
    /// attempt number) changes nothing. Returns how many were stored.
    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64>;

    /// Stores the progress of a running attempt, and appends to its job's output. Returns false, and changes
    /// nothing, if the worker no longer holds the attempt (by worker and attempt number). A report that fails may have
    /// been stored all the same, if its response was lost.
    async fn report(&self, report: JobReport) -> Result<bool>;

    /// Ends the attempts whose lease ran out before `now` as lost: the jobs wait again, or are
    /// dead where that was their last attempt. Returns how many.
    async fn expire_leases(&self, now: TimeMs) -> Result<u64>;

    /// Ends all running attempts as lost, whatever their lease, and lets their jobs wait
    /// again. Each job gets one more attempt: the process ended, the job did not
    /// fail, and a process that is killed again and again must not use a job up. For the
    /// start of a process that owns its database alone. Also pulls every `run_at` to at
    /// most `latest`, so that a clock that was once wrong cannot stall a job for ever.
    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64>;

    /// The running jobs of `worker` that an administrator wants to stop.
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
    /// Higher is sooner; 0 is usual.
    pub priority: i16,
    pub max_attempts: u32,
    /// Shown to people.
    pub created_at: TimeMs,
    /// Where later than `now`, the job is scheduled; otherwise it waits.
    pub run_at: TimeMs,
    pub now: TimeMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    New(JobId),
    /// A job of this kind and key exists already, and was left as it is.
    Exists(JobId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub worker: WorkerName,
    pub limit: u32,
    pub now: TimeMs,
    pub lease_until: TimeMs,
    /// Shown to people as the attempt's start.
    pub wall: TimeMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    /// 1 for the first.
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
    /// Shown to people as the attempt's end.
    pub wall: TimeMs,
}

/// How an attempt ended, as its worker reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    Done,
    /// Failed; runs again `after` this time. The store makes it dead if it was the last attempt.
    Retry {
        error: String,
        after: Duration,
    },
    /// Failed, and running it again would not help.
    Dead {
        error: String,
    },
    Cancelled,
    /// Interrupted through no fault of its own: waits again, and the attempt is not counted.
    Release,
}

impl AttemptResult {
    /// How the attempt is remembered.
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
    /// From 0 to 100; more is refused.
    pub percent: u8,
    /// The progress in a few words, for people.
    pub note: String,
    /// The next part of the job's output, if any.
    pub part: Option<String>,
    /// The job's result, for machines; none leaves the one that is stored.
    pub result: Option<String>,
}
