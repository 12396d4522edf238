//! A transaction that is being written, and what it has changed so far.

use sqlx::SqliteConnection;
use store::{Result, StoreError};

use crate::error::store_error;
use crate::texts::json_rows;
use crate::writer::changes::Changes;

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

    /// Writes the new counts of jobs; the last thing before the commit.
    pub(crate) async fn write_counts(self) -> Result<Changes> {
        let deltas: Vec<(&str, i64)> = self
            .changes
            .counts()
            .filter(|(_, delta)| *delta != 0)
            .map(|(state, delta)| (state.word(), delta))
            .collect();
        if !deltas.is_empty() {
            let deltas = json_rows(&deltas);
            sqlx::query!(
                "update job_count set count = count + (delta.value ->> 1)
                 from json_each(?1) as delta
                 where job_count.state = delta.value ->> 0",
                deltas
            )
            .execute(&mut *self.connection)
            .await
            .map_err(store_error)?;
        }
        Ok(self.changes)
    }
}
