//! Copies a database into another one.
//!
//! A copy has the accounts, the audit, the log, the jobs that are not done and their attempts, the secret, and what the
//! ledger needs to add up. It has no sessions or setup links: people log in again.

use api::{AttemptOutcome, AuditEntry, JobId, JobState, LogRow, Role, TimeMs};
use async_trait::async_trait;
use serde::Serialize;

use crate::codec::{corrupt, count};
use crate::{Result, WORKER_STOPPED};

/// The database that is copied. All reads see the same snapshot.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// For messages and command lines, without a password: for instance `sqlite:/var/lib/searches.db`.
    fn name(&self) -> String;

    async fn metadata(&self) -> Result<Metadata>;

    /// How many records `table` has. Approximate for [`Table::Missing`], which is small in a healthy database.
    async fn count(&self, table: Table) -> Result<u64>;

    /// The next `limit` records of `table` after `after`, ordered by cursor. Fewer only at the end.
    ///
    /// The cost does not grow with the number of records before `after`.
    async fn read(&self, table: Table, after: &Cursor, limit: u32) -> Result<Records>;
}

/// The database that is copied into. It can be read too, so that both can be compared.
#[async_trait]
pub trait Target: Source {
    /// Begins a copy in an empty database, or resumes one.
    ///
    /// One transaction checks that the database is empty, writes the [`Metadata`], and marks the copy as unfinished, so
    /// that no server opens it.
    async fn begin(&self, source: &SourceIdentity, metadata: &Metadata) -> Result<BeginOutcome>;

    /// Writes `records` and the copy's progress in one transaction. Durable when it returns.
    async fn write(&self, records: Records, progress: &Progress) -> Result<()>;

    /// Marks the copy as complete, so that servers open the database.
    async fn finish(&self) -> Result<()>;

    /// How the operator gets an empty database: the end of a sentence.
    fn how_to_empty(&self) -> String;
}

/// The tables that are copied record by record, in this order.
///
/// The log comes before the jobs, so that copying a job can find out whether its search is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Accounts,
    Audit,
    Log,
    Jobs,
    Missing,
}

impl Table {
    pub const ALL: [Self; 5] = [Self::Accounts, Self::Audit, Self::Log, Self::Jobs, Self::Missing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "account",
            Self::Audit => "audit",
            Self::Log => "log",
            Self::Jobs => "job",
            Self::Missing => "missing_search",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.as_str() == word)
    }
}

/// The key of the last copied record. Empty at the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor(pub String);

impl Cursor {
    /// The key as a number, for tables with numeric keys.
    pub fn number(&self) -> i64 {
        self.0.parse().unwrap_or(0)
    }
}

/// Consecutive records of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    Accounts(Vec<AccountRecord>),
    Audit(Vec<AuditEntry>),
    Log(Vec<LogRow>),
    Jobs(Vec<JobRecord>),
    Missing(Vec<MissingRecord>),
}

impl Records {
    pub fn table(&self) -> Table {
        match self {
            Self::Accounts(_) => Table::Accounts,
            Self::Audit(_) => Table::Audit,
            Self::Log(_) => Table::Log,
            Self::Jobs(_) => Table::Jobs,
            Self::Missing(_) => Table::Missing,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Accounts(records) => records.len(),
            Self::Audit(entries) => entries.len(),
            Self::Log(rows) => rows.len(),
            Self::Jobs(records) => records.len(),
            Self::Missing(records) => records.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cursor of the last record. `None` if there are no records.
    pub fn end(&self) -> Option<Cursor> {
        let key = match self {
            Self::Accounts(records) => records.last()?.id.to_string(),
            Self::Audit(entries) => entries.last()?.id.0.to_string(),
            Self::Log(rows) => rows.last()?.seq.0.to_string(),
            Self::Jobs(records) => records.last()?.id.0.to_string(),
            Self::Missing(records) => records.last()?.search_id.clone(),
        };
        Some(Cursor(key))
    }
}

/// The data that a database has only once.
#[derive(Clone, PartialEq, Eq)]
pub struct Metadata {
    pub secret: [u8; 32],
    /// Searches that ever got a job.
    pub accepted: i64,
    /// Searches without a row whose cancelled job was pruned.
    pub pruned: i64,
    /// The highest number that a log row ever had. The next row gets a higher one.
    pub last_log: i64,
    /// The highest number that a job ever had.
    pub last_job: i64,
    /// Every kind of job that was ever enqueued, by name.
    pub kinds: Vec<KindRecord>,
}

/// A kind of job, with an administrator's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindRecord {
    pub kind: String,
    pub paused: bool,
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRecord {
    pub id: i64,
    pub name: String,
    pub role: Role,
    pub password_hash: String,
    pub created_at: TimeMs,
}

/// A job that is not done, in its state without a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobRecord {
    pub id: JobId,
    pub kind: String,
    pub key: Option<String>,
    pub payload: String,
    pub state: JobState,
    pub priority: i16,
    pub attempt: u32,
    pub max_attempts: u32,
    pub run_at: TimeMs,
    pub created_at: TimeMs,
    pub started_at: Option<TimeMs>,
    pub finished_at: Option<TimeMs>,
    pub error: Option<String>,
    /// The ended attempts, oldest first. Compared as separate records.
    #[serde(skip)]
    pub attempts: Vec<AttemptRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptRecord {
    pub number: u32,
    pub worker: String,
    pub started_at: TimeMs,
    pub finished_at: TimeMs,
    pub outcome: AttemptOutcome,
    pub error: Option<String>,
}

/// A search that was accepted and is neither in the log nor in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingRecord {
    pub search_id: String,
    pub job_id: JobId,
    pub what: String,
}

/// The lease of a running job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub worker: String,
    pub until: TimeMs,
    pub cancel_requested: bool,
}

impl JobRecord {
    /// The job after the end of the process that ran it: it waits again, or is cancelled if that was requested.
    ///
    /// The running attempt is lost, and the job gets one more, as after every end of a process. Depends only on the job
    /// itself, so that a second read returns the same.
    pub fn at_rest(mut self, lease: Lease) -> Self {
        let ended_at = lease.until;
        self.attempts.push(AttemptRecord {
            number: self.attempt,
            worker: lease.worker,
            started_at: self.started_at.unwrap_or(self.created_at),
            finished_at: ended_at,
            outcome: AttemptOutcome::Lost,
            error: Some(WORKER_STOPPED.to_owned()),
        });
        self.max_attempts = self.max_attempts.saturating_add(1);
        self.state = if lease.cancel_requested { JobState::Cancelled } else { JobState::Waiting };
        self.finished_at = lease.cancel_requested.then_some(ended_at);
        self.error = Some(WORKER_STOPPED.to_owned());
        self
    }
}

/// Identifies a source, so that an interrupted copy is only resumed from the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceIdentity {
    /// See [`Source::name`].
    pub name: String,
    /// Distinguishes databases. Stays the same wherever the database is moved.
    pub identity: String,
    /// Changes when the data to be copied changes.
    pub state: String,
}

/// How far a copy has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// All tables before this one are copied.
    pub table: Table,
    /// The records of this table up to here are copied.
    pub after: Cursor,
    /// How many records of this table are copied.
    pub done: u64,
}

impl Progress {
    /// At the beginning of `table`.
    pub fn at(table: Table) -> Self {
        Self { table, after: Cursor::default(), done: 0 }
    }
}

/// The outcome of [`Target::begin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    New,
    /// The copy was begun earlier, from the same source.
    Resumed(Progress),
    Refused(Refusal),
}

/// The copy that a database holds already, as the table `copy` describes it.
pub struct EarlierCopy {
    pub source_name: String,
    pub source_identity: String,
    pub source_state: String,
    pub part: String,
    pub up_to: String,
    pub done: i64,
    pub finished: bool,
}

impl EarlierCopy {
    /// Whether a copy of `source` may resume it.
    pub fn outcome(self, source: &SourceIdentity) -> Result<BeginOutcome> {
        Ok(if self.source_identity != source.identity {
            BeginOutcome::Refused(Refusal::OtherSource(self.source_name))
        } else if self.finished {
            BeginOutcome::Refused(Refusal::Finished)
        } else if self.source_state != source.state {
            BeginOutcome::Refused(Refusal::SourceChanged)
        } else {
            let table = Table::parse(&self.part).ok_or_else(|| corrupt("table of a copy", &self.part))?;
            BeginOutcome::Resumed(Progress { table, after: Cursor(self.up_to), done: count(self.done) })
        })
    }
}

/// Why a database cannot be copied into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A server uses it.
    Served,
    /// It holds data, for instance `accounts and jobs`.
    NotEmpty(String),
    /// It holds an unfinished copy of the database of this name.
    OtherSource(String),
    /// It holds an unfinished copy of the same database in another state.
    SourceChanged,
    /// It already holds the complete copy.
    Finished,
}

impl Refusal {
    /// Names the data in a database that should be empty. `None` if it is empty.
    pub fn not_empty(holds: &[(bool, &str)]) -> Option<Self> {
        let things: Vec<&str> = holds.iter().filter(|(exists, _)| *exists).map(|(_, thing)| *thing).collect();
        let (last, others) = things.split_last()?;
        Some(Self::NotEmpty(if others.is_empty() {
            (*last).to_owned()
        } else {
            format!("{} and {last}", others.join(", "))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> JobRecord {
        JobRecord {
            id: JobId(1),
            kind: "any".to_owned(),
            key: None,
            payload: "{}".to_owned(),
            state: JobState::Running,
            priority: 0,
            attempt: 3,
            max_attempts: 3,
            run_at: TimeMs(1),
            created_at: TimeMs(1),
            started_at: Some(TimeMs(5)),
            finished_at: None,
            error: None,
            attempts: Vec::new(),
        }
    }

    fn lease(cancel_requested: bool) -> Lease {
        Lease { worker: "w".to_owned(), until: TimeMs(20), cancel_requested }
    }

    #[test]
    fn a_running_job_waits_again_and_its_lost_attempt_is_not_counted() {
        let job = running().at_rest(lease(false));
        assert_eq!((job.state, job.attempt, job.max_attempts, job.finished_at), (JobState::Waiting, 3, 4, None));
        let [attempt] = &job.attempts[..] else { panic!("{:?}", job.attempts) };
        assert_eq!((attempt.number, attempt.worker.as_str(), attempt.outcome), (3, "w", AttemptOutcome::Lost));
        assert_eq!((attempt.started_at, attempt.finished_at), (TimeMs(5), TimeMs(20)));
        assert_eq!(job, running().at_rest(lease(false)));
    }

    #[test]
    fn a_job_with_a_cancellation_requested_is_cancelled() {
        let job = running().at_rest(lease(true));
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(TimeMs(20))));
    }

    #[test]
    fn the_content_of_a_database_is_listed() {
        assert_eq!(Refusal::not_empty(&[(false, "accounts"), (false, "jobs")]), None);
        let holds = Refusal::not_empty(&[(true, "accounts"), (false, "log rows"), (true, "jobs"), (true, "searches")]);
        assert_eq!(holds, Some(Refusal::NotEmpty("accounts, jobs and searches".to_owned())));
    }

    #[test]
    fn table_names_can_be_parsed() {
        for table in Table::ALL {
            assert_eq!(Table::parse(table.as_str()), Some(table));
        }
    }
}
