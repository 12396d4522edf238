//! Jobs, as an administrator sees and steers them.

use leptos::server;
use serde::{Deserialize, Serialize};

use crate::json::{Answer, Arguments};
use crate::{ApiError, LogSeq, TimeMs};

/// How many jobs are in each state.
#[server(name = JobCountsNow, prefix = "/api", endpoint = "admin/jobs/counts", input = Arguments, output = Answer)]
pub async fn job_counts() -> Result<JobCounts, ApiError> {
    crate::backend()?.job_counts().await
}

/// One page of jobs, newest first, older than `before`.
#[server(name = Jobs, prefix = "/api", endpoint = "admin/jobs/list", input = Arguments, output = Answer)]
pub async fn jobs(filter: JobFilter, before: Option<JobId>) -> Result<JobsPage, ApiError> {
    crate::backend()?.jobs(filter, before).await
}

/// One job with its payload and all its attempts.
#[server(name = Job, prefix = "/api", endpoint = "admin/jobs/show", input = Arguments, output = Answer)]
pub async fn job(id: JobId) -> Result<JobDetail, ApiError> {
    crate::backend()?.job(id).await
}

/// Makes a job wait for a worker again, now, whatever came of it before.
#[server(name = RetryJob, prefix = "/api", endpoint = "admin/jobs/retry", input = Arguments, output = Answer)]
pub async fn retry_job(id: JobId) -> Result<(), ApiError> {
    crate::backend()?.retry_job(id).await
}

/// Keeps a job from being run, or stops it where it is running.
#[server(name = CancelJob, prefix = "/api", endpoint = "admin/jobs/cancel", input = Arguments, output = Answer)]
pub async fn cancel_job(id: JobId) -> Result<(), ApiError> {
    crate::backend()?.cancel_job(id).await
}

/// Every kind of job that there ever was, by name.
#[server(name = JobKinds, prefix = "/api", endpoint = "admin/jobs/kinds", input = Arguments, output = Answer)]
pub async fn job_kinds() -> Result<Vec<JobKind>, ApiError> {
    crate::backend()?.job_kinds().await
}

/// Lets no more jobs of this kind begin, on any worker; those that run go on.
#[server(name = PauseKind, prefix = "/api", endpoint = "admin/jobs/pause", input = Arguments, output = Answer)]
pub async fn pause_kind(kind: String) -> Result<(), ApiError> {
    crate::backend()?.pause_kind(kind).await
}

/// Lets jobs of this kind begin again.
#[server(name = ResumeKind, prefix = "/api", endpoint = "admin/jobs/resume", input = Arguments, output = Answer)]
pub async fn resume_kind(kind: String) -> Result<(), ApiError> {
    crate::backend()?.resume_kind(kind).await
}

/// Lets at most so many jobs of this kind run at the same time, on all workers together: at least 1,
/// or any number where there is none.
#[server(name = LimitKind, prefix = "/api", endpoint = "admin/jobs/limit", input = Arguments, output = Answer)]
pub async fn limit_kind(kind: String, limit: Option<u32>) -> Result<(), ApiError> {
    crate::backend()?.limit_kind(kind, limit).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Is to run at a later time.
    Scheduled,
    /// Runs as soon as a worker is free.
    Waiting,
    /// A worker holds its lease.
    Running,
    /// Failed, and runs again after its backoff.
    Retrying,
    Done,
    /// Failed for good; only an administrator can make it run again.
    Dead,
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 7] =
        [Self::Scheduled, Self::Waiting, Self::Running, Self::Retrying, Self::Done, Self::Dead, Self::Cancelled];

    /// The word for this state, on the wire, in the database and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more will happen to the job by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }

    /// Whether an administrator may make the job wait again.
    #[must_use]
    pub fn can_retry(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// Whether an administrator may cancel the job.
    #[must_use]
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
    #[must_use]
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

/// A kind of job: what was decided for it, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobKind {
    /// What its jobs do, for instance `log_request`.
    pub kind: String,
    /// Whether none of its jobs begin.
    pub paused: bool,
    /// How many of its jobs may run at the same time; none: any number.
    pub limit: Option<u32>,
    pub counts: JobCounts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFilter {
    pub state: Option<JobState>,
    /// What the jobs do, for instance `log_request`.
    pub kind: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsPage {
    pub jobs: Vec<JobSummary>,
    /// The cursor of the following page; none where this one is the last.
    pub next: Option<JobId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSummary {
    pub id: JobId,
    /// What the job does, for instance `log_request`.
    pub kind: String,
    /// What it does it with, in a few words.
    pub about: String,
    pub state: JobState,
    /// How often it was begun.
    pub attempt: u32,
    pub max_attempts: u32,
    pub created_at: TimeMs,
    /// When it may start at the earliest.
    pub run_at: TimeMs,
    pub finished_at: Option<TimeMs>,
    /// What the last failed attempt said.
    pub error: Option<String>,
    /// How far it is or was, where it says so.
    pub progress: Option<JobProgress>,
}

/// How far a job is, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// From 0 to 100.
    pub percent: u8,
    /// In a few words, for people.
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetail {
    pub summary: JobSummary,
    /// The payload as indented JSON; as it is, where it is not JSON.
    pub payload: String,
    /// What came of the job, for machines, where it says so. JSON is indented.
    pub result: Option<String>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// The log row that the job has written.
    pub log_row: Option<LogSeq>,
    /// One sentence on why the job is not running, where it could be.
    pub why_not_running: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub worker: String,
    pub started_at: TimeMs,
    /// None while it runs.
    pub finished_at: Option<TimeMs>,
    pub outcome: AttemptOutcome,
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Running,
    Done,
    /// Failed; the job was to run again.
    Failed,
    /// Failed, and the job with it.
    Dead,
    Cancelled,
    /// The worker went away, or its lease ran out, before it said what came of it.
    Lost,
    /// The worker was asked to stop and gave the job back unfinished.
    Released,
}

impl AttemptOutcome {
    pub const ALL: [Self; 7] =
        [Self::Running, Self::Done, Self::Failed, Self::Dead, Self::Cancelled, Self::Lost, Self::Released];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Released => "released",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}
