//! The state of the whole system, for administrators.
//!
//! The page follows `GET /api/admin/system/events`. Each of its `state` events carries a [`SystemState`].

use serde::{Deserialize, Serialize};

use crate::server_functions::server_functions;
use crate::{JobId, SearchId, TimeMs};

server_functions! {
    /// Server functions for the state of the system.
    trait SystemApi;

    /// The current contents of the page `/system`.
    System, "admin/system/show", Arguments:
        fn system() -> SystemState;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemState {
    /// When the state was read, by the server's clock.
    pub at: TimeMs,
    pub health: Health,
    /// What is wrong with the database. `None` while it answers.
    pub fault: Option<StoreFault>,
    /// `None` if the database does not answer.
    pub ledger: Option<Ledger>,
    /// At most 100 missing searches, if the ledger does not add up.
    pub missing: Vec<MissingSearch>,
    pub spool: SpoolState,
    /// `None` if the database does not answer.
    pub queue: Option<QueueState>,
    /// All workers of this database, by name. `None` if the database does not answer.
    pub workers: Option<Vec<WorkerState>>,
    pub pool: PoolState,
    /// `None` if the operating system does not report it.
    pub disk: Option<DiskState>,
    pub process: ProcessState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The status of the worst cause.
    pub light: HealthStatus,
    /// What is wrong, worst first.
    pub causes: Vec<HealthCause>,
    /// The last probe job that has passed the whole queue: enqueued, claimed, run and finished.
    pub probe: Option<Probe>,
}

impl Health {
    /// The worst cause, or what is known without one.
    pub fn sentence(&self) -> &str {
        match (self.causes.first(), self.light) {
            (Some(worst), _) => &worst.sentence,
            (None, HealthStatus::Checking) => "The first end-to-end check is on its way.",
            (None, _) => "Everything works: searches are answered, kept and written.",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCause {
    pub light: HealthStatus,
    /// What is wrong, and the fix.
    pub sentence: String,
    /// The page, or the part of the page `/system`, on which an administrator can deal with it, if there is one.
    pub page: Option<String>,
}

text_enum! {
    /// From the best to the worst.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum HealthStatus {
        /// A recent probe succeeded, and nothing is wrong.
        Healthy = "healthy",
        /// The first probe has not finished yet.
        Checking = "checking",
        /// Searches are answered and recorded, but an operator should look into it.
        Degraded = "degraded",
        /// Searches are not recorded, or their jobs are not run.
        Failing = "failing",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub ended_at: TimeMs,
    /// From enqueueing the job to its end.
    pub took_ms: u64,
}

text_enum! {
    /// The kinds of database failures, each with a question for the operator.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub enum FaultKind {
        /// Is your database switched on?
        ConnectionError = "ConnectionError",
        /// Are user id and password right?
        CredentialsError = "CredentialsError",
        /// Is the query correct?
        SqlError = "SqlError",
    }
}

impl FaultKind {
    /// What the operator should do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::ConnectionError => {
                "Is your database switched on? See that its disk has room and that no other program holds its lock."
            }
            Self::CredentialsError => {
                "User-id/password issues: see that this server's user may read and write the database."
            }
            Self::SqlError => {
                "Is your query correct? The schema may not be what this version expects: search4letters check tells more."
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFault {
    pub kind: FaultKind,
    /// The database's message.
    pub detail: String,
    pub since: TimeMs,
}

/// Counts every accepted search in exactly one place:
/// `accepted` = `recorded` + `scheduled` + `waiting` + `running` + `retrying` + `dead` + `cancelled` + `spooled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub accepted: u64,
    /// The search has a log row, whatever the state of its job. The other figures count searches without a row.
    pub recorded: u64,
    pub scheduled: u64,
    pub waiting: u64,
    pub running: u64,
    pub retrying: u64,
    pub dead: u64,
    pub cancelled: u64,
    /// In this server's spool, and not yet in the database.
    pub spooled: u64,
}

impl Ledger {
    /// The ledger of the store together with the records in this server's spool.
    pub fn with_spooled(self, records: u64) -> Self {
        Self { accepted: self.accepted + records, spooled: records, ..self }
    }

    /// How many accepted searches are in no place. Negative if searches are counted twice.
    pub fn drift(&self) -> i64 {
        let placed = self.recorded
            + self.scheduled
            + self.waiting
            + self.running
            + self.retrying
            + self.dead
            + self.cancelled
            + self.spooled;
        i128::from(self.accepted).saturating_sub(placed.into()).try_into().unwrap_or(i64::MAX)
    }
}

/// An accepted search that is in no place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingSearch {
    pub search: SearchId,
    pub job: Option<JobId>,
    /// What is wrong, in one sentence.
    pub what: String,
}

/// The file that keeps records while the database is unavailable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolState {
    pub records: u64,
    pub used_bytes: u64,
    pub capacity_bytes: u64,
    /// The time of the oldest search in it.
    pub oldest_at: Option<TimeMs>,
    /// Records moved to the database since the start.
    pub replayed: u64,
    /// Damaged lines, and records that the database always rejects. Counted while `quarantine_file` exists.
    #[serde(rename = "set_aside")]
    pub quarantined: u64,
    #[serde(rename = "set_aside_file")]
    pub quarantine_file: Option<String>,
    /// Searches since the start that neither the database nor the spool could record.
    pub not_recorded: u64,
    /// Why the spool cannot be written to, if it cannot.
    pub fault: Option<String>,
}

impl SpoolState {
    /// From here on an operator should act.
    pub const FILLING_PERCENT: u64 = 75;
    /// From here on a long search may not fit.
    pub const FULL_PERCENT: u64 = 95;

    pub fn used_percent(&self) -> u64 {
        self.used_bytes.saturating_mul(100) / self.capacity_bytes.max(1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueState {
    /// Waiting jobs of all kinds.
    pub waiting: u64,
    pub running: u64,
    /// Scheduled and retrying jobs.
    pub later: u64,
    /// When the oldest waiting job was created.
    pub oldest_waiting_at: Option<TimeMs>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerState {
    pub name: String,
    /// The machine and the process in which it runs.
    pub host: String,
    pub pid: u32,
    /// The version of search4letters.
    pub version: String,
    /// How many jobs it can run at the same time, and how many it is running.
    pub slots: u32,
    pub busy: u32,
    pub started_at: TimeMs,
    /// The last heartbeat.
    pub heard_at: TimeMs,
    /// Whether the last heartbeat is too old: the worker hangs or has died.
    pub is_silent: bool,
}

/// The pool of the database's reading connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolState {
    pub in_use: u32,
    pub idle: u32,
    pub max: u32,
    /// How many callers are waiting for a connection.
    pub waiting: u32,
    /// How many waits there were since the start, and how long the longest was.
    pub waits: u64,
    pub longest_wait_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskState {
    /// The data folder.
    pub folder: String,
    pub free_bytes: u64,
    pub total_bytes: u64,
    pub database_bytes: u64,
}

impl DiskState {
    /// Less than 1 GiB, or less than a tenth of a small disk, is left: the database may soon be unable to grow.
    pub fn is_nearly_full(&self) -> bool {
        self.free_bytes < (self.total_bytes / 10).min(1 << 30)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessState {
    /// The version of search4letters.
    pub version: String,
    /// Name and version of the database engine, for instance `SQLite 3.51.3`.
    pub database: String,
    /// The version of the database's schema.
    pub schema: i64,
    pub pid: u32,
    pub started_at: TimeMs,
    /// Resident memory. 0 if the operating system does not report it.
    pub memory_bytes: u64,
    pub connections: u64,
    pub event_streams: u64,
    /// Log lines since the start that could not be written.
    pub lost_log_lines: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drift_counts_searches_in_no_place() {
        let ledger = Ledger { accepted: 28, recorded: 7, scheduled: 6, waiting: 5, running: 4, ..Ledger::default() };
        let whole = Ledger { retrying: 3, dead: 2, cancelled: 1, ..ledger };
        assert_eq!(whole.drift(), 0);
        assert_eq!(Ledger { recorded: 6, ..whole }.drift(), 1);
        assert_eq!(Ledger { spooled: 1, ..whole }.drift(), -1);
    }
}
