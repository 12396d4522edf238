//! Moving a whole database into another one: what is read, and what is put where.
//!
//! Moved are accounts, the log, the jobs that are not done with the history of their attempts, the secret, and
//! what the ledger needs to add up. Sessions and links are not: people log in again.

use api::{AttemptOutcome, JobId, JobState, LogRow, Role, TimeMs};
use async_trait::async_trait;
use serde::Serialize;

use crate::Result;

/// A database that is read whole. What is read is one state of it, from the opening to the end.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// For people and for command lines, without a password: for instance `sqlite:/var/lib/searches.db`.
    fn name(&self) -> String;

    async fn base(&self) -> Result<Base>;

    /// How many records `part` has. For [`Part::Missing`] only about: it is small where all is well.
    async fn count(&self, part: Part) -> Result<u64>;

    /// The next records of `part` behind `after`, in the order of their cursors, at most `limit`; fewer only at the end.
    ///
    /// The cost does not grow with what lies before `after`.
    async fn read(&self, part: Part, after: &Cursor, limit: u32) -> Result<Batch>;
}

/// A database that takes what another one holds. It can be read too, so that both can be compared.
#[async_trait]
pub trait Target: Source {
    /// Begins a copy in a database that is empty, or says how far it has come.
    ///
    /// In one transaction: the check that it is empty, the [`Base`], and the mark that an unfinished copy is here,
    /// because of which no server opens it.
    async fn begin(&self, origin: &Origin, base: &Base) -> Result<Begun>;

    /// Adds `batch`, and with it, in one transaction, how far the copy has come. Durable when it returns.
    async fn put(&self, batch: Batch, progress: &Progress) -> Result<()>;

    /// Opens the database to servers: the copy is whole.
    async fn finish(&self) -> Result<()>;

    /// How its operator gets an empty one: the end of a sentence.
    fn how_to_empty(&self) -> String;
}

/// What is copied as a sequence of records, in the order in which it is copied.
///
/// The log comes before the jobs, so that a job finds out whether its search is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Accounts,
    Log,
    Jobs,
    Missing,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Accounts, Self::Log, Self::Jobs, Self::Missing];

    /// The table that it is about.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "account",
            Self::Log => "log",
            Self::Jobs => "job",
            Self::Missing => "missing_search",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == word)
    }
}

/// The key of the record up to which something is done; empty at the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor(pub String);

impl Cursor {
    /// For the parts whose records have numbers.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.0.parse().unwrap_or(0)
    }
}

/// Some consecutive records of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    Accounts(Vec<AccountRecord>),
    Log(Vec<LogRow>),
    Jobs(Vec<JobRecord>),
    Missing(Vec<MissingRecord>),
}

impl Batch {
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Self::Accounts(_) => Part::Accounts,
            Self::Log(_) => Part::Log,
            Self::Jobs(_) => Part::Jobs,
            Self::Missing(_) => Part::Missing,
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Accounts(records) => records.len(),
            Self::Log(rows) => rows.len(),
            Self::Jobs(records) => records.len(),
            Self::Missing(records) => records.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cursor of the last record; none where there are no records.
    #[must_use]
    pub fn end(&self) -> Option<Cursor> {
        let key = match self {
            Self::Accounts(records) => records.last()?.id.to_string(),
            Self::Log(rows) => rows.last()?.seq.0.to_string(),
            Self::Jobs(records) => records.last()?.id.0.to_string(),
            Self::Missing(records) => records.last()?.search_id.clone(),
        };
        Some(Cursor(key))
    }
}

/// What a database has once.
#[derive(Clone, PartialEq, Eq)]
pub struct Base {
    pub secret: [u8; 32],
    /// Searches that ever got a job.
    pub accepted: i64,
    /// Searches without a row whose cancelled job was pruned.
    pub pruned: i64,
    /// The highest number that a log row ever had: the next gets a higher one.
    pub last_log: i64,
    /// The highest number that a job ever had.
    pub last_job: i64,
    /// Every kind of job that was ever enqueued, by name.
    pub kinds: Vec<KindRecord>,
}

/// What an administrator has decided for a kind of job.
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

/// A job that is not done, as it lies when nobody runs it.
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
    /// Those that have ended, oldest first. Compared as records of their own.
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

/// Who holds a running job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub worker: String,
    pub lease_until: TimeMs,
    pub cancel_requested: bool,
}

impl JobRecord {
    /// As the job lies once the process that ran it is gone: it waits again, or is cancelled where that was asked for.
    ///
    /// The attempt is lost, and the job gets one more, as after any end of a process. Depends on nothing but the job
    /// itself, so that reading it again gives the same.
    #[must_use]
    pub fn at_rest(mut self, held: Held) -> Self {
        let ended_at = held.lease_until;
        self.attempts.push(AttemptRecord {
            number: self.attempt,
            worker: held.worker,
            started_at: self.started_at.unwrap_or(self.created_at),
            finished_at: ended_at,
            outcome: AttemptOutcome::Lost,
            error: Some(INTERRUPTED.to_owned()),
        });
        self.max_attempts = self.max_attempts.saturating_add(1);
        self.state = if held.cancel_requested { JobState::Cancelled } else { JobState::Waiting };
        self.finished_at = held.cancel_requested.then_some(ended_at);
        self.error = Some(INTERRUPTED.to_owned());
        self
    }
}

const INTERRUPTED: &str = "The process that ran the attempt had ended when the database was copied.";

/// What is copied, so that a copy that was interrupted is only gone on with from the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// As [`Source::name`] says it.
    pub name: String,
    /// Tells databases apart: the same as long as the database lives, wherever it is.
    pub identity: String,
    /// Changes when what is to be copied changes.
    pub state: String,
}

/// How far a copy has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// All parts before this one are there.
    pub part: Part,
    /// And of this one, all records up to here.
    pub after: Cursor,
    /// How many records of this part are there.
    pub done: u64,
}

impl Progress {
    /// The beginning of `part`.
    #[must_use]
    pub fn at(part: Part) -> Self {
        Self { part, after: Cursor::default(), done: 0 }
    }
}

/// What came of [`Target::begin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    New,
    /// It was begun earlier, from the same origin.
    Resumed(Progress),
    Refused(Refusal),
}

/// Why nothing is copied into a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A server runs on it.
    Served,
    /// It holds something, for instance `accounts and jobs`.
    NotEmpty(String),
    /// It holds an unfinished copy of the database of this name.
    OtherOrigin(String),
    /// It holds an unfinished copy of the same database as that was at another time.
    OriginChanged,
    /// It holds the whole copy already.
    Finished,
}

/// One word for each thing that keeps a database from being empty, joined for a sentence.
#[must_use]
pub fn not_empty(holds: &[(bool, &str)]) -> Option<Refusal> {
    let things: Vec<&str> = holds.iter().filter(|(is_there, _)| *is_there).map(|(_, thing)| *thing).collect();
    let (last, others) = things.split_last()?;
    Some(Refusal::NotEmpty(if others.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} and {last}", others.join(", "))
    }))
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

    fn held(cancel_requested: bool) -> Held {
        Held { worker: "w".to_owned(), lease_until: TimeMs(20), cancel_requested }
    }

    #[test]
    fn a_job_that_ran_waits_again_and_its_attempt_is_lost_but_not_used_up() {
        let job = running().at_rest(held(false));
        assert_eq!((job.state, job.attempt, job.max_attempts, job.finished_at), (JobState::Waiting, 3, 4, None));
        let [attempt] = &job.attempts[..] else { panic!("{:?}", job.attempts) };
        assert_eq!((attempt.number, attempt.worker.as_str(), attempt.outcome), (3, "w", AttemptOutcome::Lost));
        assert_eq!((attempt.started_at, attempt.finished_at), (TimeMs(5), TimeMs(20)));
        assert_eq!(job, running().at_rest(held(false)));
    }

    #[test]
    fn a_job_that_was_to_stop_is_cancelled() {
        let job = running().at_rest(held(true));
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(TimeMs(20))));
    }

    #[test]
    fn what_a_database_holds_is_listed_in_words() {
        assert_eq!(not_empty(&[(false, "accounts"), (false, "jobs")]), None);
        let holds = not_empty(&[(true, "accounts"), (false, "log rows"), (true, "jobs"), (true, "searches")]);
        assert_eq!(holds, Some(Refusal::NotEmpty("accounts, jobs and searches".to_owned())));
    }

    #[test]
    fn parts_have_words() {
        for part in Part::ALL {
            assert_eq!(Part::parse(part.as_str()), Some(part));
        }
    }
}
