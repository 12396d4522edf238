//! A write transaction, and what it has changed so far: counters, the ledger, and topics to notify.

use std::collections::BTreeSet;

use api::JobState;
use sqlx::{Execute, Executor, Sqlite, SqliteConnection};
use store::{ChangedTopics, Notifier, Result, StoreError, Topic};

use crate::bulk::json_rows;
use crate::connections::Fetch;
use crate::error::store_error;

pub(crate) struct Transaction<'c> {
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) changes: Changes,
    /// By [`Numbered`]. `None` if the number may have changed since it was read.
    next_numbers: [Option<i64>; 2],
}

/// The tables whose rows are numbered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbered {
    Job,
    Log,
}

/// The state to restore after a failed command.
pub(crate) struct Savepoint(Changes);

impl<'c> Transaction<'c> {
    pub(crate) fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, changes: Changes::default(), next_numbers: [None; 2] }
    }

    /// Returns how many rows were affected.
    pub(crate) async fn execute<'q>(&mut self, query: impl Execute<'q, Sqlite> + 'q) -> Result<u64> {
        let done = self.connection.execute(query).await.map_err(store_error)?;
        Ok(done.rows_affected())
    }

    pub(crate) async fn fetch_one<Q: Fetch>(&mut self, query: Q) -> Result<Q::Row> {
        query.one(&mut *self.connection).await.map_err(store_error)
    }

    pub(crate) async fn fetch_optional<Q: Fetch>(&mut self, query: Q) -> Result<Option<Q::Row>> {
        query.optional(&mut *self.connection).await.map_err(store_error)
    }

    pub(crate) async fn fetch_all<Q: Fetch>(&mut self, query: Q) -> Result<Vec<Q::Row>> {
        query.all(&mut *self.connection).await.map_err(store_error)
    }

    pub(crate) async fn savepoint(&mut self) -> Result<Savepoint> {
        self.execute(sqlx::query("savepoint command")).await?;
        Ok(Savepoint(self.changes.clone()))
    }

    /// Keeps the changes since `savepoint`, or undoes them if `outcome` is an error.
    ///
    /// The inner error fails only the command, the outer one the whole transaction.
    pub(crate) async fn release<A>(&mut self, savepoint: Savepoint, outcome: Result<A>) -> Result<Result<A>> {
        match &outcome {
            Ok(_) => {}
            Err(StoreError::Sql(_)) => {
                self.changes = savepoint.0;
                self.execute(sqlx::query("rollback to command")).await?;
            }
            Err(error) => return Err(error.clone()),
        }
        self.execute(sqlx::query("release command")).await?;
        Ok(outcome)
    }

    /// The number of the next row of `table`. Numbers are assigned here and not by SQLite: an insert returns its rows
    /// in no guaranteed order, so only the number identifies a row.
    pub(crate) async fn next_number(&mut self, table: Numbered) -> Result<i64> {
        if let Some(number) = self.next_numbers[table as usize].take() {
            return Ok(number);
        }
        // For both tables at once: most transactions add to both, and each statement costs two thread switches.
        let last = sqlx::query!(
            r#"select max(case name when 'job' then seq end) as "job: i64",
                      max(case name when 'log' then seq end) as "log: i64"
               from sqlite_sequence"#
        );
        let last = self.fetch_one(last).await?;
        let next = [last.job, last.log].map(|last| last.unwrap_or(0) + 1);
        self.next_numbers = next.map(Some);
        self.next_numbers[table as usize] = None;
        Ok(next[table as usize])
    }

    /// Writes the job counts and the ledger. Call it last before the commit.
    pub(crate) async fn write_counters(mut self) -> Result<Changes> {
        self.write_job_counts().await?;
        let ledger = self.changes.ledger;
        if ledger != LedgerChanges::default() {
            self.execute(sqlx::query!(
                "update ledger set accepted = accepted + ?1, recorded = recorded + ?2 where id = 1",
                ledger.accepted,
                ledger.recorded
            ))
            .await?;
        }
        Ok(self.changes)
    }

    async fn write_job_counts(&mut self) -> Result<()> {
        let deltas: Vec<_> = self.changes.counts().map(|(kind, state, by)| (kind, state.as_str(), by)).collect();
        if deltas.is_empty() {
            return Ok(());
        }
        // Kinds contain nothing that JSON would escape.
        let deltas = json_rows(&deltas);
        let counted = sqlx::query!(
            r#"insert into job_count (kind, state, count)
               select delta.value ->> 0, delta.value ->> 1, delta.value ->> 2 from jsonb_each(?1) as delta where true
               on conflict (kind, state) do update set count = count + excluded.count
               returning kind as "kind!: String",
                         (select concurrency is not null from job_kind where job_kind.kind = job_count.kind)
                             as "has_limit?: bool""#,
            deltas
        );
        let counted = self.fetch_all(counted).await?;
        let new: BTreeSet<&String> =
            counted.iter().filter(|row| row.has_limit.is_none()).map(|row| &row.kind).collect();
        if !new.is_empty() {
            let kinds = json_rows(&new);
            self.execute(sqlx::query!(
                "insert into job_kind (kind) select value from jsonb_each(?1) as new where true on conflict (kind) do nothing",
                kinds
            ))
            .await?;
        }
        if counted.iter().any(|row| row.has_limit == Some(true) && self.changes.stopped.contains(&row.kind)) {
            self.changes.topic(Topic::Work);
        }
        Ok(())
    }
}

/// What a transaction has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// For each kind of job, in the order of [`JobState::ALL`]. There are few kinds.
    counts: Vec<(String, [i64; JobState::ALL.len()])>,
    /// The kinds of jobs that have stopped running.
    stopped: BTreeSet<String>,
    topics: ChangedTopics,
    pub(crate) ledger: LedgerChanges,
}

/// See the table `ledger`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerChanges {
    pub(crate) accepted: i64,
    pub(crate) recorded: i64,
}

impl Changes {
    pub(crate) fn added(&mut self, kind: &str, state: JobState) {
        self.count(kind, state, 1);
        self.topics.entered(state);
    }

    pub(crate) fn moved(&mut self, kind: &str, from: JobState, to: JobState) {
        self.count(kind, from, -1);
        self.topics.left(from);
        if from == JobState::Running && !self.stopped.contains(kind) {
            self.stopped.insert(kind.to_owned());
        }
        self.added(kind, to);
    }

    /// Only records the topic: triggers count deleted rows.
    pub(crate) fn deleted(&mut self, state: JobState) {
        self.topics.left(state);
    }

    pub(crate) fn topic(&mut self, topic: Topic) {
        self.topics.topic(topic);
    }

    /// Call only after the commit.
    pub(crate) fn notify(&self, notifier: &Notifier) {
        self.topics.notify(notifier);
    }

    /// The nonzero changes of the job counts, by kind and state.
    fn counts(&self) -> impl Iterator<Item = (&str, JobState, i64)> {
        self.counts
            .iter()
            .flat_map(|(kind, counts)| {
                JobState::ALL.into_iter().zip(counts).map(|(state, by)| (kind.as_str(), state, *by))
            })
            .filter(|(_, _, by)| *by != 0)
    }

    fn count(&mut self, kind: &str, state: JobState, by: i64) {
        let index = self.counts.iter().position(|(known, _)| known == kind).unwrap_or_else(|| {
            self.counts.push((kind.to_owned(), [0; JobState::ALL.len()]));
            self.counts.len() - 1
        });
        self.counts[index].1[state as usize] += by;
    }
}
