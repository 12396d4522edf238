//! The one connection that writes. Callers hand commands to its task, which commits all waiting ones in one transaction
//! and answers each caller after the commit. Knows nothing of what the commands write.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{Commit, Inbox, Limits, Notifier, Result, StoreError, group_commit};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::database_file::{DatabaseFile, OwnerLock};
use crate::error::store_error;
use crate::transaction::{Changes, Transaction};

/// The inbox is bounded so that waiting callers cost no memory while the database is locked, a batch so that its first
/// caller does not wait for ever more later ones.
const LIMITS: Limits = Limits { inbox: 2048, batch: 1000 };

/// A write in a shared transaction.
#[async_trait]
pub(crate) trait Write: Send + Sync + 'static {
    type Answer: Send + 'static;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<Self::Answer>;
}

/// A write that shares one statement with all others of its kind.
#[async_trait]
pub(crate) trait WriteMany: Sized + Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Does all of `writes`, each as if those before it were done. Answers in their order.
    async fn apply_all(writes: &[Self], tx: &mut Transaction<'_>) -> Result<Vec<Self::Answer>>;
}

#[async_trait]
impl<W: Write> WriteMany for W {
    type Answer = W::Answer;

    async fn apply_all(writes: &[Self], tx: &mut Transaction<'_>) -> Result<Vec<W::Answer>> {
        let mut answers = Vec::with_capacity(writes.len());
        for write in writes {
            answers.push(write.apply(tx).await?);
        }
        Ok(answers)
    }
}

/// A store's commands: an enum, so that the frequent ones are not boxed one by one.
pub(crate) trait Command: From<Box<dyn Group>> + Send + 'static {
    fn is_awaited(&self) -> bool;

    /// Groups the commands by kind, in the order in which the groups must be applied.
    fn group(commands: impl Iterator<Item = Self>) -> Vec<Box<dyn Group>>;
}

/// A write, and its caller.
pub(crate) struct Pending<W: WriteMany> {
    write: W,
    caller: oneshot::Sender<Result<W::Answer>>,
}

impl<W: WriteMany> Pending<W> {
    pub(crate) fn is_awaited(&self) -> bool {
        !self.caller.is_closed()
    }
}

/// The handle to the task that writes.
pub(crate) struct Writer<C: Command> {
    inbox: Inbox<C>,
    task: Mutex<Option<JoinHandle<Committer<C>>>>,
}

impl<C: Command> Writer<C> {
    pub(crate) fn start(committer: Committer<C>) -> Self {
        let (inbox, task) = group_commit(committer, LIMITS);
        Self { inbox, task: Mutex::new(Some(tokio::spawn(task.run()))) }
    }

    /// Does `write` in a shared transaction and returns its answer after the commit.
    ///
    /// A caller that stops waiting before its batch has started withdraws the write. Later, the write is done anyway.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Answer> {
        let command = |caller| C::from(Box::new(Writes::from(Pending { write, caller })) as Box<dyn Group>);
        self.inbox.hand_in(command).await?.await
    }

    /// Like [`Writer::write`], in one statement with all others of its kind.
    pub(crate) async fn write_grouped<W: WriteMany>(&self, write: W) -> Result<W::Answer>
    where
        C: From<Pending<W>>,
    {
        self.inbox.hand_in(|caller| C::from(Pending { write, caller })).await?.await
    }

    /// Finishes pending writes. The first call returns the committer, which must be closed last.
    pub(crate) async fn close(&self) -> Option<Committer<C>> {
        self.inbox.close();
        // No code panics while it holds the lock.
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        task.await.ok()
    }
}

/// The connection that writes, and how a batch is committed through it.
pub(crate) struct Committer<C> {
    options: SqliteConnectOptions,
    file: DatabaseFile,
    /// `None` after a failure of the disk or a lock: the next batch opens a new one.
    connection: Option<SqliteConnection>,
    notifier: Arc<Notifier>,
    /// Held until the last write, even if the store itself was dropped before.
    _lock: Option<OwnerLock>,
    _command: PhantomData<fn(C)>,
}

impl<C: Command> Commit for Committer<C> {
    type Command = C;
    type Batch = Batch;

    fn is_awaited(command: &C) -> bool {
        command.is_awaited()
    }

    fn gather(commands: impl Iterator<Item = C>) -> Batch {
        Batch(C::group(commands).into_iter().filter(|group| group.is_awaited()).collect())
    }

    async fn commit(&mut self, batch: &mut Batch) -> Result<()> {
        let outcome = self.write(batch).await;
        match &outcome {
            Ok(_) | Err(StoreError::Sql(_)) => {}
            // The connection stays open: closing the last one would checkpoint the write-ahead log into the damaged
            // file.
            Err(damage @ StoreError::Damaged(_)) => self.file.note(damage),
            Err(error) => {
                tracing::warn!(%error, commands = batch.len(), "a batch of writes failed");
                self.connection = None;
            }
        }
        outcome.map(|changes| changes.notify(&self.notifier))
    }

    fn answer(batch: Batch, failure: Option<&StoreError>) {
        batch.0.into_iter().for_each(|group| group.answer(failure));
    }
}

impl<C> Committer<C> {
    pub(crate) fn new(
        options: SqliteConnectOptions,
        file: DatabaseFile,
        connection: SqliteConnection,
        notifier: Arc<Notifier>,
        lock: Option<OwnerLock>,
    ) -> Self {
        Self { options, file, connection: Some(connection), notifier, _lock: lock, _command: PhantomData }
    }

    /// Checkpoints the write-ahead log, so that the file is complete without it, and releases the folder.
    pub(crate) async fn close(self) {
        let Some(mut connection) = self.connection.filter(|_| self.file.check_for_writing().is_ok()) else { return };
        let checkpoint = sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await;
        if let Err(error) = checkpoint.map(drop).and(connection.close().await) {
            // Every commit is already durable: the next start reads the write-ahead log.
            tracing::warn!(%error, "the database was not tidied up at the end");
        }
    }

    async fn write(&mut self, batch: &mut Batch) -> Result<Changes> {
        self.file.check_for_writing()?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.options.connect().await.map_err(store_error)?),
        };
        match commit(connection, batch, ErrorScope::Batch).await {
            // One bad command must not fail the others.
            Err(StoreError::Sql(reason)) if batch.len() > 1 => {
                tracing::warn!(reason, commands = batch.len(), "a batch failed and is written one by one");
                commit(connection, batch, ErrorScope::Command).await
            }
            outcome => outcome,
        }
    }
}

async fn commit(connection: &mut SqliteConnection, batch: &mut Batch, scope: ErrorScope) -> Result<Changes> {
    // Immediate, so that it waits for another program's lock here and never midway.
    let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
    let mut tx = Transaction::new(&mut transaction);
    for group in &mut batch.0 {
        group.apply(&mut tx, scope).await?;
    }
    let changes = tx.write_counters().await?;
    transaction.commit().await.map_err(store_error)?;
    Ok(changes)
}

/// What fails with a command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ErrorScope {
    /// The whole batch fails.
    Batch,
    /// Only that command fails: each has its own savepoint.
    Command,
}

/// The writes that share a transaction.
pub(crate) struct Batch(Vec<Box<dyn Group>>);

impl Batch {
    /// The number of commands.
    fn len(&self) -> usize {
        self.0.iter().map(|group| group.len()).sum()
    }
}

/// Writes of one kind, type-erased.
#[async_trait]
pub(crate) trait Group: Send {
    fn len(&self) -> usize;
    fn is_awaited(&self) -> bool;
    async fn apply(&mut self, tx: &mut Transaction<'_>, scope: ErrorScope) -> Result<()>;
    /// Sends each caller the answer to its command, or the error that failed the whole batch.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

/// Writes of one kind, their callers, and the answers once they are applied.
pub(crate) struct Writes<W: WriteMany> {
    writes: Vec<W>,
    callers: Vec<oneshot::Sender<Result<W::Answer>>>,
    answers: Vec<Result<W::Answer>>,
}

impl<W: WriteMany> Default for Writes<W> {
    fn default() -> Self {
        Self { writes: Vec::new(), callers: Vec::new(), answers: Vec::new() }
    }
}

impl<W: WriteMany> From<Pending<W>> for Writes<W> {
    fn from(Pending { write, caller }: Pending<W>) -> Self {
        Self { writes: vec![write], callers: vec![caller], answers: Vec::new() }
    }
}

impl<W: WriteMany> Writes<W> {
    pub(crate) fn push(&mut self, Pending { write, caller }: Pending<W>) {
        self.writes.push(write);
        self.callers.push(caller);
    }
}

#[async_trait]
impl<W: WriteMany> Group for Writes<W> {
    fn len(&self) -> usize {
        self.writes.len()
    }

    fn is_awaited(&self) -> bool {
        self.callers.iter().any(|caller| !caller.is_closed())
    }

    async fn apply(&mut self, tx: &mut Transaction<'_>, scope: ErrorScope) -> Result<()> {
        match scope {
            ErrorScope::Batch => {
                self.answers = W::apply_all(&self.writes, tx).await?.into_iter().map(Ok).collect();
            }
            ErrorScope::Command => {
                self.answers.clear();
                for write in &self.writes {
                    let savepoint = tx.savepoint().await?;
                    let outcome = W::apply_all(std::slice::from_ref(write), tx).await;
                    let outcome = tx.release(savepoint, outcome).await?;
                    self.answers.push(outcome.map(|mut answers| answers.pop().expect("apply_all answers each write")));
                }
            }
        }
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        // A caller that no longer waits needs no answer.
        match failure {
            Some(error) => self.callers.into_iter().for_each(|caller| drop(caller.send(Err(error.clone())))),
            None => self.callers.into_iter().zip(self.answers).for_each(|(caller, answer)| drop(caller.send(answer))),
        }
    }
}

/// An empty transaction: shows whether the database can be written to.
pub(crate) struct Ping;

#[async_trait]
impl Write for Ping {
    type Answer = ();

    async fn apply(&self, _tx: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }
}
