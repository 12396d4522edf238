//! What the product asks of a database, in its own words. Knows nothing of SQL, of HTTP,
//! or of what a job means.

mod accounts;
mod changed_topics;
mod clock;
pub mod codec;
mod deadline;
mod error;
mod exercise;
mod group_commit;
mod log;
mod log_block;
mod log_parts;
mod log_range;
mod notifier;
mod patience;
mod queue;
mod report;
mod transfer;
mod workers;

pub use accounts::{Accounts, NewAccount, SetUpOutcome, StoredAccount, StoredSession, TokenHash};
pub use changed_topics::ChangedTopics;
pub use clock::{Clock, SystemClock};
pub use deadline::within;
pub use error::{Result, StoreError};
pub use exercise::Exercise;
pub use group_commit::{Commit, GroupCommit, Inbox, Limits, group_commit};
pub use log::{Log, LogEntry, LogQuery, LogSpan};
pub use log_block::{BorrowedRow, LogBlock, LogSink, log_blocks};
pub use log_parts::{Direction, ReadLogPart, log_rows_in_parts};
pub use log_range::{log_range, log_seq_since};
pub use notifier::{Notifier, Subscription, Topic};
pub use patience::{Wait, Waits};
pub use queue::{
    Accepted, AttemptResult, Claim, ClaimedJob, Enqueued, FinishedAttempt, JobPage, JobPosition, LOG_JOB, NewJob,
    Queue, StoredJob, StoredKind, WorkerName,
};
pub use report::{JobReport, OutputPart};
pub use transfer::{
    AccountRecord, AttemptRecord, Base, Batch, Begun, Cursor, Held, JobRecord, KindRecord, MissingRecord, Origin, Part,
    Progress, Refusal, Source, Target, not_empty,
};
pub use workers::{Beat, StoredWorker, Workers};

use api::{PoolState, TimeMs};

/// A whole database. What each part promises stands with its trait, and
/// tests/store holds every implementation to it.
#[async_trait::async_trait]
pub trait Store: Queue + Log + Accounts + Workers {
    /// Reads and writes nothing much, to see whether the database answers.
    async fn ping(&self) -> Result<()>;

    /// A key that is made once for each database and never changes: 32 random bytes.
    async fn secret(&self) -> Result<[u8; 32]>;

    /// Which database this is, and how large.
    async fn describe(&self) -> Result<Description>;

    /// Whether other processes may run jobs from this database at the same time: then leases, and
    /// not the start of a process, tell which jobs are lost, and whoever idles must look for them.
    fn is_shared(&self) -> bool;

    /// The database's own clock, by which all who share it agree; none where there is one process.
    async fn time(&self) -> Result<Option<TimeMs>>;

    /// The connections that read.
    fn pool(&self) -> PoolState;

    /// Uses a connection of [`Store::pool`] as a task would, and gives it back whatever happens: also when `taken`
    /// panics, or when the future is dropped. Waits for one as everybody does, and fails as they do.
    async fn exercise(&self, exercise: Exercise) -> Result<()>;

    /// Finishes the writes that were handed in, then closes all connections.
    async fn close(&self);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// With its version, for instance `SQLite 3.51.3`.
    pub engine: String,
    /// The schema's version.
    pub schema: i64,
    pub size_bytes: u64,
}
