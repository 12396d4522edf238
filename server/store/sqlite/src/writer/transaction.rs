//! A transaction that is being written, and what it has changed so far.

use sqlx::SqliteConnection;
use store::{Result, StoreError, Topic};

use crate::error::store_error;
use crate::texts::json_rows;
use crate::writer::changes::{Changes, LedgerChanges};

pub(crate) struct WriteTx<'c> {
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) changes: Changes,
}

/// The state to which a failed command is undone.
pub(crate) struct Mark(Changes);

impl<'c> WriteTx<'c> {
    pub(crate) fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, changes: Changes::default() }
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

    /// Wakes those who look for work where jobs have ceased to run whose kind has a limit: there is room now.
    pub(crate) async fn tell_of_room(&mut self) -> Result<()> {
        if self.changes.ceased().is_empty() {
            return Ok(());
        }
        let kinds = json_rows(self.changes.ceased());
        let has_room = sqlx::query_scalar!(
            r#"select exists (
                   select 1 from json_each(?1) as ceased
                   cross join job_kind
                   where job_kind.kind = ceased.value and concurrency is not null
               ) as "has_room!: bool""#,
            kinds
        )
        .fetch_one(&mut *self.connection)
        .await
        .map_err(store_error)?;
        if has_room {
            self.changes.touched(Topic::Work);
        }
        Ok(())
    }

    /// Writes the new counts of jobs and the new ledger; the last thing before the commit.
    pub(crate) async fn write_counts(self) -> Result<Changes> {
        let deltas: Vec<_> = self.changes.counts().map(|(kind, state, by)| (kind, state.word(), by)).collect();
        if !deltas.is_empty() {
            // Kinds are our own words, which hold nothing that JSON would change.
            let deltas = json_rows(&deltas);
            sqlx::query!(
                "insert into job_count (kind, state, count)
                 select delta.value ->> 0, delta.value ->> 1, delta.value ->> 2 from json_each(?1) as delta where true
                 on conflict (kind, state) do update set count = count + excluded.count",
                deltas
            )
            .execute(&mut *self.connection)
            .await
            .map_err(store_error)?;
        }
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
}
