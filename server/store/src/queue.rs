//! The queue's verbs. Each is one transaction, durable when it returns.
//!
//! Times (`now`, `until`) are [`crate::Clock::steady`] where they decide when something
//! happens, and [`crate::Clock::wall`] where they are only shown.

use std::time::Duration;

use api::{
    Attempt, AttemptOutcome, JobCounts, JobFilter, JobId, JobProgress, JobState, Ledger, LogRow, MissingSearch,
    SearchId, TimeMs,
};
use async_trait::async_trait;

use crate::{JobReport, OutputPart, Result, Subscription, Topic};

/// The kind of the jobs that [`Queue::accept`] adds. The ledger counts these and no others.
pub const LOG_JOB: &str = "log_request";

#[async_trait]
pub trait Queue: Send + Sync + 'static {
    /// Adds a job, unless one of its kind has the same key already.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued>;

    /// Adds the log job of a search, unless that search has a job or a log row already.
    ///
    /// `job.kind` is [`LOG_JOB`], `job.key` the search id's text form. This is what a visitor waits for: concurrent
    /// calls share one commit.
    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted>;

    /// Hands out waiting jobs, most urgent and then oldest first, and those scheduled or
    /// retrying whose time has come. They are running from then on, under a lease. Leaves out
    /// the kinds that are paused, and never lets more jobs of a kind run than its limit.
    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>>;

    /// When the earliest job that is scheduled or retrying will be due.
    async fn next_due(&self) -> Result<Option<TimeMs>>;

    /// Prolongs the leases that `worker` still holds, and returns those of `jobs` that it does
    /// not hold any more: they were lost, and what comes of them will be refused.
    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>>;

    /// Stores what came of attempts. One that the worker no longer holds (by worker and
    /// attempt number) changes nothing. Returns how many were stored.
    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64>;

    /// Says how far a running attempt is, and adds to what its job has put out. Returns false, and changes nothing, if
    /// the worker does not hold the attempt any more (by worker and attempt number). One that fails may have been
    /// stored all the same, if its answer was lost.
    async fn report(&self, report: JobReport) -> Result<bool>;

    /// Ends the attempts whose lease ran out before `now` as lost: the jobs wait again, or are
    /// dead where that was their last attempt. Returns how many.
    async fn expire_leases(&self, now: TimeMs) -> Result<u64>;

    /// Ends all running attempts as lost, whatever their lease says, and lets their jobs wait
    /// again. Gives each one attempt more: it was the process that ended, not the job that
    /// failed, and a process that is killed again and again must not use a job up. For the
    /// start of a process that owns its database alone. Also pulls every `run_at` to at
    /// most `latest`, so that a clock that was wrong at some time cannot stall a job for ever.
    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64>;

    /// Which of `worker`'s running jobs an administrator wants to stop.
    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>>;

    /// Makes a job wait for a worker, now; it gets one more attempt if it had used up all.
    /// Returns false if there is no such job or its state does not allow it
    /// ([`JobState::can_retry`]).
    async fn retry_job(&self, id: JobId, now: TimeMs) -> Result<bool>;

    /// Cancels a job at once, or asks its worker to where it is running. Returns false if there
    /// is no such job or its state does not allow it ([`JobState::can_cancel`]). `now` is shown to
    /// people as the job's end.
    async fn cancel_job(&self, id: JobId, now: TimeMs) -> Result<bool>;

    /// Kept incrementally: costs the same with ten jobs and with ten million.
    async fn job_counts(&self) -> Result<JobCounts>;

    /// Where the searches are that were ever accepted; `spooled` is 0, because those are not here.
    /// Kept incrementally, and read in one snapshot.
    async fn ledger(&self) -> Result<Ledger>;

    /// Searches that were accepted and have neither a row nor a job that is still to write it.
    /// Reads much: only for when the ledger does not add up.
    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>>;

    /// Every kind of job that was ever enqueued, by name.
    async fn kinds(&self) -> Result<Vec<StoredKind>>;

    /// Lets no more jobs of this kind begin, on any worker, or lets them begin again; those that
    /// run go on. Returns false if there is no such kind.
    async fn pause_kind(&self, kind: &str, paused: bool) -> Result<bool>;

    /// Makes a kind known before its first job, with this limit. One that is known already is left as it is: an
    /// administrator may have decided otherwise.
    async fn register_kind(&self, kind: &str, limit: Option<u32>) -> Result<()>;

    /// At most so many jobs of this kind run at the same time, on all workers together; none: no
    /// limit. Where more than a new limit run already, those go on. Returns false if there is no such kind.
    async fn limit_kind(&self, kind: &str, limit: Option<u32>) -> Result<bool>;

    /// When the oldest of the waiting jobs was made.
    async fn oldest_waiting(&self) -> Result<Option<TimeMs>>;

    /// At most `limit` jobs, newest first, older than `before`.
    async fn jobs(&self, filter: JobFilter, before: Option<JobId>, limit: u32) -> Result<JobPage>;

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>>;

    /// The job of this kind and key.
    async fn job_by_key(&self, kind: &str, key: &str) -> Result<Option<StoredJob>>;

    /// What the job has put out after part `after` (0: from the beginning), at most `limit` parts, in order. Parts go
    /// with their job.
    async fn job_output(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>>;

    /// The job's attempts, oldest first, the running one included.
    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>>;

    /// Where the job of this kind and key stands.
    async fn position(&self, kind: &str, key: &str) -> Result<Option<JobPosition>>;

    /// Deletes at most `limit` done or cancelled jobs that ended before `before`, but no search's
    /// job that is done and has no row: it shows what is missing. Returns how many.
    async fn prune_jobs(&self, before: TimeMs, limit: u32) -> Result<u64>;

    /// Deletes a job that has ended, unless it is the last trace of a search. Returns whether it did.
    async fn delete_job(&self, id: JobId) -> Result<bool>;

    /// Wakes whoever waits for `topic` after each commit that touched it.
    fn subscribe(&self, topic: Topic) -> Subscription;
}

/// Who runs jobs: unique among all processes that ever ran.
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
    /// A job of this kind and key is there already, and was left as it is.
    Exists(JobId),
}

/// What came of [`Queue::accept`]. The caller compares what is there with what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    New(JobId),
    /// The search's job is there already, with this payload.
    Queued {
        job: JobId,
        payload: String,
    },
    /// The search's job is gone, its log row is there.
    Recorded(Box<LogRow>),
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
    pub finish: AttemptResult,
    pub now: TimeMs,
    /// Shown to people as the attempt's end.
    pub wall: TimeMs,
}

/// What came of an attempt.
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
    /// Not run to its end, through no fault of its own: waits again, and the attempt is not counted.
    Release,
}

impl AttemptResult {
    /// How the attempt is remembered.
    #[must_use]
    pub fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::Done => AttemptOutcome::Done,
            Self::Retry { .. } => AttemptOutcome::Failed,
            Self::Dead { .. } => AttemptOutcome::Dead,
            Self::Cancelled => AttemptOutcome::Cancelled,
            Self::Release => AttemptOutcome::Released,
        }
    }

    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Retry { error, .. } | Self::Dead { error } => Some(error),
            Self::Done | Self::Cancelled | Self::Release => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    pub id: JobId,
    pub kind: String,
    pub key: Option<String>,
    pub payload: String,
    pub state: JobState,
    pub attempt: u32,
    pub max_attempts: u32,
    pub worker: Option<WorkerName>,
    pub cancel_requested: bool,
    pub created_at: TimeMs,
    pub run_at: TimeMs,
    pub started_at: Option<TimeMs>,
    pub finished_at: Option<TimeMs>,
    pub error: Option<String>,
    /// As its last report says; none before the first.
    pub progress: Option<JobProgress>,
    /// What came of it, for machines, where it has said so.
    pub result: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPage {
    pub jobs: Vec<StoredJob>,
    pub next: Option<JobId>,
}

impl JobPage {
    /// The first `limit` of `jobs`, of which one more was read, to know whether another page follows.
    #[must_use]
    pub fn cut(mut jobs: Vec<StoredJob>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = jobs.len() <= limit;
        jobs.truncate(limit);
        let next = if is_last { None } else { jobs.last().map(|job| job.id) };
        Self { jobs, next }
    }
}

/// A kind of job: what was decided for it, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKind {
    pub kind: String,
    pub paused: bool,
    /// How many may run at the same time; none: any number.
    pub limit: Option<u32>,
    pub counts: JobCounts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobPosition {
    pub job: JobId,
    pub state: JobState,
    pub attempt: u32,
    /// How many waiting jobs come before this one; 0 unless it waits. Counted up to 10,000.
    pub ahead: u64,
}
