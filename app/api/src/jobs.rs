//! The administration of jobs.

use serde::{Deserialize, Serialize};

use crate::server_functions::server_functions;
use crate::{AuditEntry, LogSeq, TimeMs};

server_functions! {
    /// Server functions for the administration of jobs.
    trait JobsApi;

    /// How many jobs are in each state.
    JobCountsNow, "admin/jobs/counts", Arguments:
        fn job_counts() -> JobCounts;

    /// The jobs that the filter `q` matches, newest first, older than `before`: at most a page. See [`crate::JobFilter`].
    Jobs, "admin/jobs/list", Arguments:
        fn jobs(q: String, before: Option<JobId>) -> JobsPage;

    /// One job with its payload and all its attempts.
    Job, "admin/jobs/show", Arguments:
        fn job(id: JobId) -> JobDetail;

    /// The job that records the search with this id or receipt. `None` if there is none, or none any more.
    FindJob, "admin/jobs/find", Arguments:
        fn find_job(search: String) -> Option<JobSummary>;

    /// Makes a job that has ended or waits for a later time wait for a worker now.
    RetryJob, "admin/jobs/retry", Arguments:
        fn retry_job(id: JobId) -> ();

    /// Cancels a job, and stops it if it is running.
    CancelJob, "admin/jobs/cancel", Arguments:
        fn cancel_job(id: JobId) -> ();

    /// Every kind of job that was ever enqueued, by name.
    JobKinds, "admin/jobs/kinds", Arguments:
        fn job_kinds() -> Vec<JobKind>;

    /// Stops all workers from claiming jobs of this kind. Running jobs continue.
    PauseKind, "admin/jobs/pause", Arguments:
        fn pause_kind(kind: String) -> ();

    /// Lets workers claim jobs of this kind again.
    ResumeKind, "admin/jobs/resume", Arguments:
        fn resume_kind(kind: String) -> ();

    /// Limits how many jobs of this kind run at the same time, on all workers together. At least 1. `None` removes the
    /// limit.
    LimitKind, "admin/jobs/limit", Arguments:
        fn limit_kind(kind: String, limit: Option<u32>) -> ();
}

/// The most jobs in a [`JobsPage`].
pub const JOBS_PAGE: u32 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

text_enum! {
    /// The state of a job.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum JobState {
        /// Runs at a later time.
        Scheduled = "scheduled",
        /// Runs as soon as a worker is free.
        Waiting = "waiting",
        /// A worker holds its lease.
        Running = "running",
        /// Failed, and runs again after its backoff.
        Retrying = "retrying",
        Done = "done",
        /// Failed permanently: only an administrator can make it run again.
        Dead = "dead",
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether only an administrator can change the state again.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }

    /// Whether an administrator may make the job wait again.
    pub fn can_retry(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// Whether an administrator may cancel the job.
    pub fn can_cancel(self) -> bool {
        !self.is_final()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    pub scheduled: u64,
    pub waiting: u64,
    pub running: u64,
    pub retrying: u64,
    pub done: u64,
    pub dead: u64,
    pub cancelled: u64,
}

impl JobCounts {
    pub fn of(&self, state: JobState) -> u64 {
        match state {
            JobState::Scheduled => self.scheduled,
            JobState::Waiting => self.waiting,
            JobState::Running => self.running,
            JobState::Retrying => self.retrying,
            JobState::Done => self.done,
            JobState::Dead => self.dead,
            JobState::Cancelled => self.cancelled,
        }
    }

    pub fn set(&mut self, state: JobState, count: u64) {
        *match state {
            JobState::Scheduled => &mut self.scheduled,
            JobState::Waiting => &mut self.waiting,
            JobState::Running => &mut self.running,
            JobState::Retrying => &mut self.retrying,
            JobState::Done => &mut self.done,
            JobState::Dead => &mut self.dead,
            JobState::Cancelled => &mut self.cancelled,
        } = count;
    }
}

/// A kind of job, with its settings and the number of its jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobKind {
    /// For instance `log_request`.
    pub kind: String,
    /// While paused, no job of this kind starts.
    pub paused: bool,
    /// How many of its jobs may run at the same time. `None`: any number.
    pub limit: Option<u32>,
    pub counts: JobCounts,
}

/// The time of one request is limited. If `is_cut`, it has ended before the page was full: the next request continues
/// at `next`, until there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsPage {
    pub jobs: Vec<JobSummary>,
    /// Older jobs begin before this one. `None` if no older one can match.
    pub next: Option<JobId>,
    /// How many jobs were compared with the filter.
    pub compared: u64,
    pub is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSummary {
    pub id: JobId,
    /// For instance `log_request`.
    pub kind: String,
    /// A short description of the job's input.
    pub about: String,
    pub state: JobState,
    /// How many attempts have started.
    pub attempt: u32,
    pub max_attempts: u32,
    pub created_at: TimeMs,
    /// The earliest time at which it may start.
    pub run_at: TimeMs,
    pub finished_at: Option<TimeMs>,
    /// The error of the last failed attempt.
    pub error: Option<String>,
    /// From the last report, if any.
    pub progress: Option<JobProgress>,
}

/// The progress that a job reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// From 0 to 100.
    pub percent: u8,
    /// A short note for display.
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetail {
    pub summary: JobSummary,
    /// Indented if it is JSON, else unchanged.
    pub payload: String,
    /// The machine-readable result that the job has reported. Indented if it is JSON.
    pub result: Option<String>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// What people have commanded about it, oldest first.
    pub audit: Vec<AuditEntry>,
    /// The log row that the job wrote.
    pub log_row: Option<LogSeq>,
    /// Why the job is not running although it could be, in one sentence.
    pub why_not_running: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub worker: String,
    pub started_at: TimeMs,
    /// `None` while it is running.
    pub finished_at: Option<TimeMs>,
    pub outcome: AttemptOutcome,
    pub error: Option<String>,
}

text_enum! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AttemptOutcome {
        Running = "running",
        Done = "done",
        /// Failed. The job runs again.
        Failed = "failed",
        /// Failed, and the job is dead.
        Dead = "dead",
        Cancelled = "cancelled",
        /// The worker died, or its lease expired, before the result was stored.
        Lost = "lost",
        /// The worker was asked to stop and released the unfinished job.
        Released = "released",
    }
}
