//! The workers that are alive. Only shown to people: leases decide which jobs are lost.

use api::TimeMs;
use async_trait::async_trait;

use crate::{Result, WorkerName};

#[async_trait]
pub trait Workers: Send + Sync + 'static {
    /// Records that this worker is alive, and forgets the others whose last beat was before `forget_before` and that hold
    /// no running job.
    async fn beat(&self, beat: Beat, forget_before: TimeMs) -> Result<()>;

    /// Removes a worker that has ended in good order. An unknown one is no error.
    async fn retire(&self, worker: &WorkerName) -> Result<()>;

    /// By name, each with the number of jobs that it runs.
    async fn workers(&self) -> Result<Vec<StoredWorker>>;
}

/// A worker's heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    pub worker: WorkerName,
    /// The machine's name.
    pub host: String,
    pub pid: u32,
    /// Of search4letters.
    pub version: String,
    /// How many jobs it runs at the same time at most.
    pub slots: u32,
    /// Shown to people: by [`crate::Clock::wall`].
    pub started_at: TimeMs,
    /// By [`crate::Clock::steady`].
    pub at: TimeMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWorker {
    /// The last one.
    pub beat: Beat,
    /// How many jobs it runs.
    pub running: u32,
}
