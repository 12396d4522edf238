//! The live workers. Only for display: leases decide which jobs are lost.

use api::{FaultKind, TimeMs};
use async_trait::async_trait;

use crate::{Result, WorkerName};

#[async_trait]
pub trait Workers: Send + Sync + 'static {
    /// Records that this worker is alive. Deletes other workers whose last beat was before `forget_before` and that hold
    /// no running job.
    async fn beat(&self, beat: Beat, forget_before: TimeMs) -> Result<()>;

    /// Removes a worker that has shut down cleanly. An unknown worker is not an error.
    async fn retire(&self, worker: &WorkerName) -> Result<()>;

    /// All workers, by name.
    async fn workers(&self) -> Result<Vec<StoredWorker>>;
}

/// A worker's heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    pub worker: WorkerName,
    /// The machine's name.
    pub host: String,
    pub pid: u32,
    /// The version of search4letters.
    pub version: String,
    /// The most jobs it runs at the same time.
    pub slots: u32,
    /// For display: by [`crate::Clock::wall`].
    pub started_at: TimeMs,
    /// By [`crate::Clock::steady`].
    pub at: TimeMs,
    /// Why the worker's process deletes nothing, if several attempts in a row have failed.
    pub pruning: Option<PruningFailure>,
}

/// The last attempts to delete old jobs and ended sessions, all of which have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruningFailure {
    pub in_a_row: u32,
    /// The kind of the last error.
    pub kind: FaultKind,
}

impl PruningFailure {
    /// Reads the columns of a worker. `None` for an unknown kind, which a later version may have written.
    pub fn stored(in_a_row: u32, kind: Option<&str>) -> Option<Self> {
        Some(Self { in_a_row, kind: kind.and_then(FaultKind::parse)? })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWorker {
    /// The last beat.
    pub beat: Beat,
    /// How many jobs it is running.
    pub running: u32,
}
