//! Who runs jobs at the moment. Shown to people; which jobs are lost, the leases tell.

use api::TimeMs;
use async_trait::async_trait;

use crate::{Result, WorkerName};

#[async_trait]
pub trait Workers: Send + Sync + 'static {
    /// Says that this worker lives, and forgets the others that were not heard of since `forget_before` and hold
    /// no running job.
    async fn beat(&self, beat: Beat, forget_before: TimeMs) -> Result<()>;

    /// The worker has ended in good order. One that nobody knows is no error.
    async fn retire(&self, worker: &WorkerName) -> Result<()>;

    /// By name, each with the number of jobs that it runs.
    async fn workers(&self) -> Result<Vec<StoredWorker>>;
}

/// A worker's sign of life.
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
