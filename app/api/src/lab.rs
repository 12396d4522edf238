//! The waiting lab: the same work done in different ways, to see who waits for what.
//!
//! A run is a job. Its page follows `GET /api/lab/runs/{id}/events`: events `run` carry a [`LabRun`], events `part`
//! an array of [`LabEvent`]s, with the part's number as the event's id. [`LabTrace`] makes a picture of them.

mod spec;
mod trace;

use leptos::server;
use serde::{Deserialize, Serialize};

use crate::json::{Answer, Arguments};
use crate::{ApiError, JobId, JobState, SearchId, TimeMs};

pub use spec::{
    BATCHES_LIMIT, COUNTRIES, DatabaseSpec, FetchSpec, HOLD_LIMIT_MS, LATENCY_LIMIT_MS, LabOrder, LabSpec, LabStyle,
    LabWork, REQUESTS_LIMIT, RUN_LIMIT_MS, RequestSpec, TASKS_LIMIT, WORKERS_LIMIT, WRITE_DELAY_LIMIT_MS,
};
pub use trace::{ItemState, ItemTrace, LabTrace, LaneTrace};

/// Whether the lab is open here, and its latest runs.
#[server(name = Lab, prefix = "/api", endpoint = "lab/show", input = Arguments, output = Answer)]
pub async fn lab() -> Result<LabState, ApiError> {
    crate::backend()?.lab().await
}

/// Starts a run. The same `id` sent twice is one run.
#[server(name = StartLabRun, prefix = "/api", endpoint = "lab/runs/start", input = Arguments, output = Answer)]
pub async fn start_lab_run(id: LabRunId, spec: LabSpec) -> Result<LabRun, ApiError> {
    crate::backend()?.start_lab_run(id, spec).await
}

#[server(name = ShowLabRun, prefix = "/api", endpoint = "lab/runs/show", input = Arguments, output = Answer)]
pub async fn lab_run(id: LabRunId) -> Result<LabRun, ApiError> {
    crate::backend()?.lab_run(id).await
}

/// Stops a run, or keeps it from being begun. For whoever started it, and for operators.
#[server(name = CancelLabRun, prefix = "/api", endpoint = "lab/runs/cancel", input = Arguments, output = Answer)]
pub async fn cancel_lab_run(id: LabRunId) -> Result<(), ApiError> {
    crate::backend()?.cancel_lab_run(id).await
}

/// Identifies a run: a ULID, made by whoever starts it, so that starting again is safe.
pub type LabRunId = SearchId;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabState {
    /// Why no runs can be started here, and what would change that; none where they can.
    pub closed: Option<String>,
    /// The latest runs, newest first.
    pub runs: Vec<LabRun>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabRun {
    pub id: LabRunId,
    pub job: JobId,
    pub spec: LabSpec,
    pub state: JobState,
    /// How many jobs will be started before this one; only of interest while it waits.
    pub ahead: u64,
    pub created_at: TimeMs,
    pub finished_at: Option<TimeMs>,
    /// How far it is, from 0 to 100.
    pub percent: u8,
    /// Once it has ended by itself.
    pub summary: Option<LabSummary>,
    /// Why it failed as a whole; what single requests met is in the trace.
    pub error: Option<String>,
    /// Whether whoever asks may cancel it, now.
    pub can_cancel: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabSummary {
    /// From the first item's start to the last one's end.
    pub elapsed_us: u64,
    pub done: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// The sum of all items' durations: what they would have taken one after the other.
    pub work_us: u64,
    /// In the scenario with the database.
    pub pool: Option<PoolSummary>,
}

/// How the bounded pool came through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSummary {
    pub max: u32,
    pub most_in_use: u32,
    pub most_waiting: u32,
    pub longest_wait_us: u64,
    /// Connections that were not back when all tasks had ended. Must be 0.
    pub leaked: u32,
    /// "Too many connections", or a lock. Must be 0.
    pub refused: u32,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabEvent {
    /// Microseconds since the run began, by a clock that only goes forward.
    pub at_us: u64,
    pub what: LabFact,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabFact {
    /// The run begins; whatever was told before belongs to an attempt that was lost. `labels` name the items.
    Began {
        labels: Vec<String>,
    },
    /// An item is being worked on: its request was sent, its task has a connection.
    Started {
        item: u32,
    },
    /// An item has ended with this text, for instance the number it was sent.
    Done {
        item: u32,
        text: String,
    },
    Failed {
        item: u32,
        error: ItemError,
    },
    /// An item was given up before it began.
    Cancelled {
        item: u32,
    },
    /// The item's done callback was called.
    CalledBack {
        item: u32,
    },
    /// Whoever waits for the results was handed this one: in the order that was asked for.
    Delivered {
        item: u32,
    },
    /// How the pool of connections is doing.
    Pool {
        in_use: u32,
        idle: u32,
        waiting: u32,
    },
    /// What happened to a search of the scenario with the requests.
    Lane {
        lane: Lane,
        step: LaneStep,
    },
    /// All is over.
    Ended,
}

/// Why an item failed, and in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemError {
    pub kind: ItemErrorKind,
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemErrorKind {
    /// The server has no such thing: 404.
    NotFound,
    /// The server answered with another status than 200.
    Status,
    /// It took longer than was allowed.
    Timeout,
    /// Nobody listens there.
    Refused,
    /// The connection broke.
    Broken,
    /// The task failed, as it was told to.
    Task,
    /// The task panicked, as it was told to.
    Panic,
    /// The task was aborted while it held a connection, as it was told to.
    Aborted,
    /// The pool or the database refused.
    Database,
}

impl ItemErrorKind {
    /// In a few words, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::Status => "error status",
            Self::Timeout => "timed out",
            Self::Refused => "connection refused",
            Self::Broken => "connection broken",
            Self::Task => "failed",
            Self::Panic => "panicked",
            Self::Aborted => "aborted",
            Self::Database => "database error",
        }
    }
}

/// The three ways of writing the log of a search down, side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The answer waits for the write.
    Awaited,
    /// The write is handed to a task of the process.
    BareTask,
    /// The write is a durable job.
    Job,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Awaited, Self::BareTask, Self::Job];

    /// In a few words, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::BareTask => "bare task",
            Self::Job => "job",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneStep {
    /// The search was sent.
    Sent,
    /// The visitor has the answer.
    Answered,
    /// The process was killed, as by `kill -9`.
    Killed,
    /// Another process has taken its place, on the same data.
    Restarted,
    /// The row is in the log.
    RowThere,
    /// The time for the row has passed, and it is not in the log.
    RowGone,
}

impl LaneStep {
    /// In a few words, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Killed => "killed",
            Self::Restarted => "restarted",
            Self::RowThere => "row there",
            Self::RowGone => "row gone",
        }
    }
}
