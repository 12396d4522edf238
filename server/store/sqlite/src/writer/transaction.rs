//! A transaction that is being written, and what it has changed so far.

use sqlx::SqliteConnection;
use store::{Result, StoreError, Topic};

use crate::error::store_error;
use crate::queue::know;
use crate::texts::json_rows;
use crate::writer::changes::{Changes, LedgerChanges};

pub(crate) struct WriteTx<'c> {
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) changes: Changes,
    /// By [`Numbered`]; none where it may have changed since it was read.
    next_numbers: [Option<i64>; 2],
}

/// The tables whose rows are numbered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbered {
    Job,
    Log,
}

/// The state to which a failed command is undone.
pub(crate) struct Mark(Changes);

impl<'c> WriteTx<'c> {
    pub(crate) fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, changes: Changes::default(), next_numbers: [None; 2] }
    }

    pub(crate) async fn mark(&mut self) -> Result<Mark> {
        sqlx::query("savepoint command").execute(&mut *self.connection).await.map_err(store_error)?;
        Ok(Mark(self.changes.clone()))
    }

    /// Keeps what was done since `mark`, or undoes it where `outcome` says that it failed.
    ///
    /// An inner error is the command's alone; an outer one is the whole transaction's.
    pub(crate) async fn settle<A>(&mut self, mark: Mark, outcome: Result<A>) -> Result<Result<A>> {
        match &outcome {
            Ok(_) => {}
            Err(StoreError::Sql(_)) => {
                self.changes = mark.0;
                sqlx::query("rollback to command").execute(&mut *self.connection).await.map_err(store_error)?;
            }
            Err(error) => return Err(error.clone()),
        }
        sqlx::query("release command").execute(&mut *self.connection).await.map_err(store_error)?;
        Ok(outcome)
    }

    /// The number of the next row of `table`. Numbers are given here and not by SQLite, because the rows that an insert
    /// returns come in no promised order: only by its number can one tell which row it is.
    pub(crate) async fn next_number(&mut self, table: Numbered) -> Result<i64> {
        if let Some(number) = self.next_numbers[table as usize].take() {
            return Ok(number);
        }
        // Of both tables at once: most transactions add to both, and each statement costs two changes of thread.
        let last = sqlx::query!(
            r#"select max(case name when 'job' then seq end) as "job: i64",
                      max(case name when 'log' then seq end) as "log: i64"
               from sqlite_sequence"#
        )
        .fetch_one(&mut *self.connection)
        .await
        .map_err(store_error)?;
        let next = [last.job, last.log].map(|last| last.unwrap_or(0) + 1);
        self.next_numbers = next.map(Some);
        self.next_numbers[table as usize] = None;
        Ok(next[table as usize])
    }

    /// Writes the new counts of jobs and the new ledger; the last thing before the commit.
    pub(crate) async fn write_counts(mut self) -> Result<Changes> {
        self.count_jobs().await?;
        let ledger = self.changes.ledger;
        if ledger != LedgerChanges::default() {
            sqlx::query!(
                "update ledger
                 set accepted = accepted + ?1, recorded = recorded + ?2, reopened = reopened + ?3
                 where id = 1",
                ledger.accepted,
                ledger.recorded,
                ledger.reopened
            )
            .execute(&mut *self.connection)
            .await
            .map_err(store_error)?;
        }
        Ok(self.changes)
    }

    async fn count_jobs(&mut self) -> Result<()> {
        let deltas: Vec<_> = self.changes.counts().map(|(kind, state, by)| (kind, state.as_str(), by)).collect();
        if deltas.is_empty() {
            return Ok(());
        }
        // Kinds are our own words, which hold nothing that JSON would change.
        let deltas = json_rows(&deltas);
        let counted = sqlx::query!(
            r#"insert into job_count (kind, state, count)
               select delta.value ->> 0, delta.value ->> 1, delta.value ->> 2 from jsonb_each(?1) as delta where true
               on conflict (kind, state) do update set count = count + excluded.count
               returning kind as "kind!: String",
                         (select concurrency is not null from job_kind where job_kind.kind = job_count.kind)
                             as "has_limit?: bool""#,
            deltas
        )
        .fetch_all(&mut *self.connection)
        .await
        .map_err(store_error)?;
        let new = counted.iter().filter(|row| row.has_limit.is_none()).map(|row| row.kind.clone());
        know(&new.collect(), self).await?;
        if counted.iter().any(|row| row.has_limit == Some(true) && self.changes.ceased().contains(&row.kind)) {
            self.changes.touched(Topic::Work);
        }
        Ok(())
    }
}
