//! How the whole is doing, as an administrator sees it.
//!
//! The page follows `GET /api/admin/system/events`, whose events `state` each carry a [`SystemState`].

use leptos::server;
use serde::{Deserialize, Serialize};

use crate::json::{Answer, Arguments};
use crate::{ApiError, JobId, SearchId, TimeMs};

/// Everything that the page `/system` shows, as it is now.
#[server(name = System, prefix = "/api", endpoint = "admin/system/show", input = Arguments, output = Answer)]
pub async fn system() -> Result<SystemState, ApiError> {
    crate::backend()?.system().await
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemState {
    /// When it was so, by the server's clock.
    pub at: TimeMs,
    pub health: Health,
    /// What is wrong with the database; none while it answers.
    pub fault: Option<StoreFault>,
    /// None where the database does not answer.
    pub ledger: Option<Ledger>,
    /// The searches behind a ledger that does not add up, at most 100.
    pub missing: Vec<MissingSearch>,
    pub spool: SpoolState,
    /// None where the database does not answer.
    pub queue: Option<QueueState>,
    /// All that run jobs from this database, by name; none where it does not answer.
    pub workers: Option<Vec<WorkerState>>,
    pub pool: PoolState,
    /// None where the operating system does not say.
    pub disk: Option<DiskState>,
    pub process: ProcessState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub light: HealthStatus,
    /// One sentence that says why, and names the way out where there is one.
    pub sentence: String,
    /// The last probe that went the whole way: accepted, claimed, run, finished.
    pub probe: Option<Probe>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// A probe went the whole way lately, and nothing is amiss.
    Healthy,
    /// The first probe is on its way.
    Checking,
    /// Searches are answered and kept, but somebody should look.
    Degraded,
    /// Searches are not recorded, or their jobs are not run.
    Failing,
}

impl HealthStatus {
    /// The word for this light, on the wire and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Checking => "checking",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub ended_at: TimeMs,
    /// From the moment at which the job was handed in until it was done.
    pub took_ms: u64,
}

/// The operator's three questions: which of them the database's failure answers with no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Is your database switched on?
    ConnectionError,
    /// Are user id and password right?
    CredentialsError,
    /// Is the query correct?
    SqlError,
}

impl FaultKind {
    pub const ALL: [Self; 3] = [Self::ConnectionError, Self::CredentialsError, Self::SqlError];

    /// The name, on the wire, in the log and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionError => "ConnectionError",
            Self::CredentialsError => "CredentialsError",
            Self::SqlError => "SqlError",
        }
    }

    /// What the operator should do.
    #[must_use]
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
    /// What the database said.
    pub detail: String,
    pub since: TimeMs,
}

/// Where all the searches are that were ever accepted. Each is in one place:
/// `accepted` = `recorded` + `scheduled` + `waiting` + `running` + `retrying` + `dead` + `cancelled` + `spooled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub accepted: u64,
    /// With a row in the log, and no job that is still to write it.
    pub recorded: u64,
    pub scheduled: u64,
    pub waiting: u64,
    pub running: u64,
    pub retrying: u64,
    pub dead: u64,
    pub cancelled: u64,
    /// Safe on this server's disk, not yet in the database.
    pub spooled: u64,
}

impl Ledger {
    /// How many searches were accepted and are nowhere; below 0, how many are somewhere twice.
    #[must_use]
    pub fn drift(&self) -> i64 {
        let somewhere = self.recorded
            + self.scheduled
            + self.waiting
            + self.running
            + self.retrying
            + self.dead
            + self.cancelled
            + self.spooled;
        i128::from(self.accepted).saturating_sub(somewhere.into()).try_into().unwrap_or(i64::MAX)
    }
}

/// A search that was accepted and is not where it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingSearch {
    pub search: SearchId,
    pub job: Option<JobId>,
    /// What is amiss, in one sentence.
    pub what: String,
}

/// The file that takes records while the database does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolState {
    pub records: u64,
    pub used_bytes: u64,
    pub capacity_bytes: u64,
    /// When the oldest of its searches was made.
    pub oldest_at: Option<TimeMs>,
    /// Handed to the database since the start.
    pub replayed: u64,
    /// Damaged lines, and records that the database refuses for good. Counted while `quarantine_file` exists.
    #[serde(rename = "set_aside")]
    pub quarantined: u64,
    #[serde(rename = "set_aside_file")]
    pub quarantine_file: Option<String>,
    /// Searches since the start that neither database nor spool could take.
    pub not_recorded: u64,
    /// Why the spool itself cannot be written to, where it cannot.
    pub fault: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueState {
    /// Jobs of all kinds that wait for a worker.
    pub waiting: u64,
    pub running: u64,
    /// Jobs that wait for their time: scheduled, or failed and to be tried again.
    pub later: u64,
    /// When the longest waiting job was made.
    pub oldest_waiting_at: Option<TimeMs>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerState {
    pub name: String,
    /// The machine on which it runs, and its process there.
    pub host: String,
    pub pid: u32,
    /// Of search4letters.
    pub version: String,
    /// How many jobs it can run side by side, and how many it does.
    pub slots: u32,
    pub busy: u32,
    pub started_at: TimeMs,
    /// When it was last heard of.
    pub heard_at: TimeMs,
    /// Whether that is longer ago than it should be: it hangs, or is gone.
    pub is_silent: bool,
}

/// The connections that read from the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolState {
    pub in_use: u32,
    pub idle: u32,
    pub max: u32,
    /// Who waits for one now.
    pub waiting: u32,
    /// How often somebody had to wait since the start, and how long at most.
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessState {
    /// Of search4letters.
    pub version: String,
    /// Of the database engine, for instance `SQLite 3.51.3`.
    pub database: String,
    /// Of the database's schema.
    pub schema: i64,
    pub pid: u32,
    pub started_at: TimeMs,
    /// Resident; 0 where the operating system does not say.
    pub memory_bytes: u64,
    pub connections: u64,
    pub event_streams: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drift_is_what_is_nowhere() {
        let ledger = Ledger { accepted: 28, recorded: 7, scheduled: 6, waiting: 5, running: 4, ..Ledger::default() };
        let whole = Ledger { retrying: 3, dead: 2, cancelled: 1, ..ledger };
        assert_eq!(whole.drift(), 0);
        assert_eq!(Ledger { recorded: 6, ..whole }.drift(), 1);
        assert_eq!(Ledger { spooled: 1, ..whole }.drift(), -1);
    }
}
