//! The waiting lab: the same work done in different ways, to show what waits for what.
//!
//! A run is a job. Its page follows `GET /api/lab/runs/{id}/events`: a `run` event carries a [`LabRun`], a `part` event
//! an array of [`LabEvent`]s, with the part's number as its id. [`LabTrace`] collects them.

mod spec;
mod trace;

use serde::{Deserialize, Serialize};

use crate::server_functions::server_functions;
use crate::{JobId, JobState, SearchId, TimeMs};

pub use spec::{
    BATCHES_LIMIT, COUNTRIES, DatabaseSpec, FetchSpec, HOLD_LIMIT_MS, LATENCY_LIMIT_MS, LabOrder, LabSpec, LabStyle,
    LabWork, REQUESTS_LIMIT, RUN_LIMIT_MS, RequestSpec, TASKS_LIMIT, WORKERS_LIMIT, WRITE_DELAY_LIMIT_MS,
};
pub use trace::{ItemState, ItemTrace, LabTrace, LaneTrace, PoolStep};

/// The path of the lab's explanation, the text of docs/lab.md.
pub const LAB_GUIDE: &str = "/docs/lab.md";

server_functions! {
    /// Server functions of the waiting lab.
    trait LabApi;

    /// Whether runs can be started here, and the latest runs.
    Lab, "lab/show", Arguments:
        fn lab() -> LabState;

    /// Starts a run. The same `id` sent twice is one run.
    StartLabRun, "lab/runs/start", Arguments:
        fn start_lab_run(id: LabRunId, spec: LabSpec) -> LabRun;

    ShowLabRun, "lab/runs/show", Arguments:
        fn lab_run(id: LabRunId) -> LabRun;

    /// Cancels a run, and stops it if it is running. Only for the client that started it, and for operators.
    CancelLabRun, "lab/runs/cancel", Arguments:
        fn cancel_lab_run(id: LabRunId) -> ();
}

/// Identifies a run: a ULID that the client generates, so that sending the start again is safe.
pub type LabRunId = SearchId;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabState {
    /// Why runs cannot be started here, with the fix. `None` if they can.
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
    /// How many jobs will start before this one, while it is waiting.
    pub ahead: u64,
    pub created_at: TimeMs,
    pub finished_at: Option<TimeMs>,
    /// Progress, from 0 to 100.
    pub percent: u8,
    /// Set once the run has completed.
    pub summary: Option<LabSummary>,
    /// Why the run failed as a whole. Errors of single items are in its events.
    pub error: Option<String>,
    /// Whether this client may cancel the run now.
    pub can_cancel: bool,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabSummary {
    /// From the first item's start to the last item's end.
    pub elapsed_us: u64,
    pub done: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// The sum of all items' durations: the time that they would have taken in sequence.
    pub work_us: u64,
    /// Only in the database scenario.
    pub pool: Option<PoolSummary>,
}

/// How the bounded pool performed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSummary {
    pub max: u32,
    pub most_in_use: u32,
    pub most_waiting: u32,
    pub longest_wait_us: u64,
    /// Connections that were not returned when all tasks had ended. Must be 0.
    pub leaked: u32,
    /// Errors of the kind "too many connections" or "locked". Must be 0.
    pub refused: u32,
}

/// An event of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabEvent {
    /// Microseconds since the start of the run, by a monotonic clock.
    pub at_us: u64,
    pub what: LabFact,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabFact {
    /// The run starts. Earlier events belong to an attempt that was lost. `labels` name the items.
    Began {
        labels: Vec<String>,
    },
    /// An item has started: its request was sent, or its task has a connection.
    Started {
        item: u32,
    },
    /// An item has ended with this text, for instance the number in the response.
    Done {
        item: u32,
        text: String,
    },
    Failed {
        item: u32,
        error: ItemError,
    },
    /// An item was cancelled before it started.
    Cancelled {
        item: u32,
    },
    /// The item's done callback was called.
    CalledBack {
        item: u32,
    },
    /// The result was handed to the caller, in the requested order.
    Delivered {
        item: u32,
    },
    /// The state of the connection pool.
    Pool {
        in_use: u32,
        idle: u32,
        waiting: u32,
    },
    /// A step of one search in the request scenario.
    Lane {
        lane: Lane,
        step: LaneStep,
    },
    /// The run has ended.
    Ended,
}

/// Why an item failed, with the original message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemError {
    pub kind: ItemErrorKind,
    pub detail: String,
}

text_enum! {
    /// The text is for people. On the wire, a kind is in snake case.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ItemErrorKind {
        /// The server answered with status 404.
        NotFound = "not found",
        /// The server answered with a status other than 200.
        Status = "error status",
        /// The timeout was exceeded.
        Timeout = "timed out",
        /// No server listens at the address.
        Refused = "connection refused",
        /// The connection broke.
        Broken = "connection broken",
        /// The task failed, because the run injected it.
        Task = "failed",
        /// The task panicked, because the run injected it.
        Panic = "panicked",
        /// The task was aborted while it held a connection, because the run injected it.
        Aborted = "aborted",
        /// The pool or the database returned an error.
        Database = "database error",
    }
}

text_enum! {
    /// The three ways to write a search's log record that the request scenario compares. The text is for people.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Lane {
        /// The response waits for the write.
        Awaited = "awaited",
        /// A task in the same process does the write.
        BareTask = "bare task",
        /// The write is a durable job.
        Job = "job",
    }
}

text_enum! {
    /// The text is for people. On the wire, a step is in snake case.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LaneStep {
        /// The search was sent.
        Sent = "sent",
        /// The visitor received the answer.
        Answered = "answered",
        /// The process was killed, as by `kill -9`.
        Killed = "killed",
        /// Another process was started on the same data.
        Restarted = "restarted",
        /// The row is in the log.
        RowThere = "row there",
        /// The row is not in the log, although the time to write it has passed.
        RowGone = "row gone",
    }
}
