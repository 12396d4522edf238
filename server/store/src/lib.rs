//! What the product asks of a database. Knows nothing of SQL, of HTTP, or of what a job means.
//!
//! [`Store`] is a whole database: [`JobQueue`] for workers, [`JobAdmin`] for administrators, [`SearchLog`] for searches
//! and their rows, [`Accounts`], [`Audit`] and [`Workers`]. Each method documents its promises, and `tests/store` tests every
//! implementation against them. [`group_commit()`] lets many callers share one commit.

mod accounts;
mod audit;
mod clock;
pub mod codec;
pub mod copy;
mod error;
mod group_commit;
mod job_admin;
mod job_queue;
mod log_block;
mod log_parts;
mod manifest;
mod notifier;
mod page;
mod pool_probe;
mod pool_waits;
mod search_log;
mod signature;
mod workers;

pub use accounts::{Accounts, NewAccount, SetUpOutcome, StoredAccount, StoredSession, TokenHash};
pub use audit::{Audit, AuditRow, cut_audit};
pub use clock::{Clock, SystemClock, within};
pub use error::{Result, StoreError};
pub use group_commit::{Commit, GroupCommit, Inbox, Limits, group_commit};
pub use job_admin::{JobAdmin, JobPage, JobPosition, JobSelection, OutputPart, RetryingSearch, StoredJob, StoredKind};
pub use job_queue::{
    AttemptResult, Claim, ClaimedJob, Enqueued, FinishedAttempt, JobQueue, JobReport, NewJob, WORKER_STOPPED,
    WorkerName,
};
pub use log_block::{BorrowedRow, LogBlock, LogSink};
pub use log_parts::{Direction, ReadLogPart, log_rows_in_parts};
pub use manifest::Manifest;
pub use notifier::{ChangedTopics, Notifier, Subscription, Topic};
pub use pool_probe::{PoolProbe, ProbeStatement, ProbeUse};
pub use pool_waits::{Wait, Waits};
pub use search_log::{
    Accepted, LOG_JOB, LogEntry, LogQuery, LogSpan, SearchLog, SearchRecord, log_blocks, log_range, log_seq_since,
};
pub use signature::Signature;
pub use workers::{Beat, PruningFailure, StoredWorker, Workers};

use api::{PoolState, TimeMs};

/// A whole database.
#[async_trait::async_trait]
pub trait Store: JobQueue + JobAdmin + SearchLog + Accounts + Audit + Workers {
    /// One small read and one empty write, to see whether the database answers.
    async fn ping(&self) -> Result<()>;

    /// The database's key: 32 random bytes, generated once, that never change.
    async fn secret(&self) -> Result<[u8; 32]>;

    /// What tells this database from a restored copy beside it, which has the same secret. The same for all processes that
    /// share the database.
    fn identity(&self) -> &str;

    /// Which database this is, and how large.
    async fn describe(&self) -> Result<Description>;

    /// Whether other processes may run jobs from this database at the same time. Then only leases show which jobs
    /// are lost, and idle workers must look for expired ones.
    fn is_shared(&self) -> bool;

    /// The database's clock, which all processes that share it follow. `None` if only one process uses the database.
    async fn time(&self) -> Result<Option<TimeMs>>;

    /// The state of the pool of reading connections.
    fn pool(&self) -> PoolState;

    /// Finishes pending writes, then closes all connections.
    async fn close(&self);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name and version, for instance `SQLite 3.51.3`.
    pub engine: String,
    /// The schema's version.
    pub schema: i64,
    pub size_bytes: u64,
}
