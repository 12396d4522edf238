//! What pages and administrators ask of the queue. Each method is one transaction, durable when it returns.

use api::{Attempt, JobCounts, JobId, JobProgress, JobState, TimeMs};
use async_trait::async_trait;

use crate::page::cut;
use crate::{Result, Signature, WorkerName};

#[async_trait]
pub trait JobAdmin: Send + Sync + 'static {
    /// Makes a job wait for a worker now. It gets one more attempt if it has used up all of them. Returns false if there
    /// is no such job or its state does not allow it ([`JobState::can_retry`]).
    async fn retry_job(&self, id: JobId, now: TimeMs, by: &Signature) -> Result<bool>;

    /// Cancels a job at once, or, if it is running, asks its worker to. Returns false if there is no such job or its
    /// state does not allow it ([`JobState::can_cancel`]). `now` is displayed as the job's end. Without a signature it is a
    /// visitor's own job, and leaves no entry in the audit.
    async fn cancel_job(&self, id: JobId, now: TimeMs, by: Option<&Signature>) -> Result<bool>;

    /// Deletes a job that has ended, unless it is the last trace of a search. Returns whether it did. Without a signature
    /// the server itself has made the job, and cleans up.
    async fn delete_job(&self, id: JobId, by: Option<&Signature>) -> Result<bool>;

    /// Deletes at most `limit` done or cancelled jobs that ended before `before`. Keeps a done job whose search has no
    /// row: it shows what is missing. Returns how many were deleted.
    async fn prune_jobs(&self, before: TimeMs, limit: u32) -> Result<u64>;

    /// Registers a kind before its first job, with this limit. Does not change a kind that exists: an administrator may
    /// have set another limit.
    async fn register_kind(&self, kind: &str, limit: Option<u32>) -> Result<()>;

    /// Stops all workers from claiming jobs of this kind. Running jobs continue. Returns false if there is no such kind.
    async fn pause_kind(&self, kind: &str, by: &Signature) -> Result<bool>;

    /// Lets workers claim jobs of this kind again. Returns false if there is no such kind.
    async fn resume_kind(&self, kind: &str, by: &Signature) -> Result<bool>;

    /// Limits how many jobs of this kind run at the same time, on all workers together. `None` removes the limit.
    /// Jobs that run beyond a new limit continue. Returns false if there is no such kind.
    async fn limit_kind(&self, kind: &str, limit: Option<u32>, by: &Signature) -> Result<bool>;

    /// Every kind of job that was ever enqueued, by name.
    async fn kinds(&self) -> Result<Vec<StoredKind>>;

    /// Counted incrementally: ten million jobs cost no more than ten.
    async fn job_counts(&self) -> Result<JobCounts>;

    /// When the oldest waiting job was created.
    async fn oldest_waiting(&self) -> Result<Option<TimeMs>>;

    /// The oldest search whose last attempt has failed, and which waits for the next one.
    async fn oldest_retrying_search(&self) -> Result<Option<RetryingSearch>>;

    /// At most `limit` of the selected jobs, newest first, older than `before`.
    async fn jobs(&self, selection: JobSelection, before: Option<JobId>, limit: u32) -> Result<JobPage>;

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>>;

    /// The job of this kind and key.
    async fn job_by_key(&self, kind: &str, key: &str) -> Result<Option<StoredJob>>;

    /// The job's output after part `after` (0: from the beginning): at most `limit` parts, in order. Deleting a job
    /// deletes its output.
    async fn job_output(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>>;

    /// The job's attempts, oldest first, including the running one.
    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>>;

    /// The position in the queue of the job of this kind and key.
    async fn position(&self, kind: &str, key: &str) -> Result<Option<JobPosition>>;
}

/// Which jobs a list shows. An index leads to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobSelection {
    pub state: Option<JobState>,
    pub kind: Option<String>,
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
    /// The worker that runs it.
    pub worker: Option<WorkerName>,
    /// The worker that runs it, or ran it last.
    pub last_worker: Option<WorkerName>,
    pub cancel_requested: bool,
    pub created_at: TimeMs,
    pub run_at: TimeMs,
    pub started_at: Option<TimeMs>,
    pub finished_at: Option<TimeMs>,
    pub error: Option<String>,
    /// From the last report, if any.
    pub progress: Option<JobProgress>,
    /// The job's machine-readable result, if it has reported one.
    pub result: Option<String>,
}

/// A search that could not be written yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryingSearch {
    /// How often writing it has failed.
    pub attempts: u32,
    /// Why it failed last.
    pub error: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPage {
    pub jobs: Vec<StoredJob>,
    pub next: Option<JobId>,
}

impl JobPage {
    /// Keeps the first `limit` of `jobs`. One more was read, to know whether another page follows.
    pub fn cut(jobs: Vec<StoredJob>, limit: u32) -> Self {
        let (jobs, next) = cut(jobs, limit, |job| job.id);
        Self { jobs, next }
    }
}

/// A kind of job: its settings, and how many jobs it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKind {
    pub kind: String,
    pub paused: bool,
    /// How many may run at the same time. `None`: any number.
    pub limit: Option<u32>,
    pub counts: JobCounts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobPosition {
    pub job: JobId,
    pub state: JobState,
    pub attempt: u32,
    /// How many waiting jobs come before this one, counted up to 10,000. 0 unless this job is waiting.
    pub ahead: u64,
    /// Whether jobs of its kind are paused.
    pub is_paused: bool,
    pub created_at: TimeMs,
    /// When the last attempt began.
    pub started_at: Option<TimeMs>,
}

/// A part of a job's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPart {
    /// From 1, without gaps. A new attempt continues the numbering.
    pub number: u32,
    pub text: String,
}
