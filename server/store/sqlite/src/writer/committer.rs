//! The connection that writes, and how a batch is committed through it.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{Commit, Notifier, Result, StoreError};

use crate::error::store_error;
use crate::lock::OwnerLock;
use crate::place::Place;
use crate::writer::batch::{Batch, Command, Pass};
use crate::writer::changes::Changes;
use crate::writer::transaction::WriteTx;

#[derive(Debug)]
pub(crate) struct Committer {
    options: SqliteConnectOptions,
    place: Place,
    /// None after a failure of the disk or a lock: the next batch begins with a fresh one.
    connection: Option<SqliteConnection>,
    waker: Arc<Notifier>,
    /// Held as long as anything is written, also where the store itself was dropped.
    _lock: Option<OwnerLock>,
}

impl Commit for Committer {
    type Command = Command;
    type Batch = Batch;

    fn is_awaited(command: &Command) -> bool {
        command.is_awaited()
    }

    fn gather(commands: impl Iterator<Item = Command>) -> Batch {
        Batch::gather(commands)
    }

    async fn commit(&mut self, batch: &mut Batch) -> Result<()> {
        let outcome = self.write(batch).await;
        match &outcome {
            Ok(_) | Err(StoreError::Sql(_)) => {}
            // Its connection stays open: closing the last one would bring the write-ahead log into the damaged file.
            Err(damage @ StoreError::Damaged(_)) => self.place.note(damage),
            Err(error) => {
                tracing::warn!(%error, commands = batch.len(), "a batch of writes failed");
                self.connection = None;
            }
        }
        outcome.map(|changes| changes.wake(&self.waker))
    }

    fn answer(batch: Batch, failure: Option<&StoreError>) {
        batch.answer(failure);
    }
}

impl Committer {
    pub(crate) fn new(
        options: SqliteConnectOptions,
        place: Place,
        connection: SqliteConnection,
        waker: Arc<Notifier>,
        lock: Option<OwnerLock>,
    ) -> Self {
        Self { options, place, connection: Some(connection), waker, _lock: lock }
    }

    /// Brings the write-ahead log back into the file, so that the file alone is whole, and lets go of the folder.
    pub(crate) async fn close(self) {
        let Some(mut connection) = self.connection.filter(|_| self.place.check_for_writing().is_ok()) else { return };
        let checkpoint = sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await;
        if let Err(error) = checkpoint.map(drop).and(connection.close().await) {
            // Every commit is durable already: the next start reads the log.
            tracing::warn!(%error, "the database was not tidied up at the end");
        }
    }

    async fn write(&mut self, batch: &mut Batch) -> Result<Changes> {
        self.place.check_for_writing()?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.options.connect().await.map_err(store_error)?),
        };
        match commit(connection, batch, Pass::Together).await {
            // One bad command must not fail the others.
            Err(StoreError::Sql(reason)) if batch.len() > 1 => {
                tracing::warn!(reason, commands = batch.len(), "a batch failed and is written one by one");
                commit(connection, batch, Pass::OneByOne).await
            }
            outcome => outcome,
        }
    }
}

async fn commit(connection: &mut SqliteConnection, batch: &mut Batch, pass: Pass) -> Result<Changes> {
    // Immediate, so that waiting for another program's lock happens here and never midway.
    let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
    let mut tx = WriteTx::new(&mut transaction);
    batch.run(&mut tx, pass).await?;
    let changes = tx.write_counts().await?;
    transaction.commit().await.map_err(store_error)?;
    Ok(changes)
}
