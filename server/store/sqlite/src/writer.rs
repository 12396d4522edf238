//! The one connection that writes. Whoever wants to write hands a command to its task, which
//! gathers all that wait into one transaction and answers each after the commit.

mod batch;
mod changes;
mod task;
mod transaction;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use store::{Result, StoreError, Waker};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::lock::OwnerLock;
use crate::writer::batch::Single;
use crate::writer::task::Task;

pub(crate) use crate::writer::batch::{Asked, Command, GroupedWrite, Write};
pub(crate) use crate::writer::transaction::WriteTx;

/// Commands that may wait for the writer. Beyond it callers wait to hand theirs in, so that a
/// locked database costs waiting visitors and not memory.
const INBOX_LIMIT: usize = 2048;

/// The handle to the task that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    inbox: mpsc::Sender<Command>,
    closing: Arc<Notify>,
    task: Mutex<Option<JoinHandle<Task>>>,
}

impl Writer {
    pub(crate) fn start(
        options: SqliteConnectOptions,
        connection: SqliteConnection,
        waker: Arc<Waker>,
        lock: Option<OwnerLock>,
    ) -> Self {
        let (inbox, commands) = mpsc::channel(INBOX_LIMIT);
        let closing = Arc::new(Notify::new());
        let task = Task::new(commands, Arc::clone(&closing), options, connection, waker, lock);
        Self { inbox, closing, task: Mutex::new(Some(tokio::spawn(task.run()))) }
    }

    /// Does `write` in some transaction and returns its answer after the commit.
    ///
    /// A caller who stops waiting before the write has begun takes it back; one who stops
    /// later leaves it to be done.
    pub(crate) async fn ask<W: Write>(&self, write: W) -> Result<W::Answer> {
        self.send(|caller| Command::Other(Box::new(Single::new(write, caller)))).await
    }

    /// As [`Writer::ask`], together with all others of its kind in one statement.
    pub(crate) async fn ask_grouped<W: GroupedWrite>(&self, write: W) -> Result<W::Answer> {
        self.send(|caller| W::command(Asked { write, caller })).await
    }

    async fn send<A>(&self, command: impl FnOnce(oneshot::Sender<Result<A>>) -> Command) -> Result<A> {
        let (caller, answer) = oneshot::channel();
        self.inbox.send(command(caller)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Finishes what was handed in and returns the task, to be closed last, at the first call.
    pub(crate) async fn close(&self) -> Option<Task> {
        self.closing.notify_one();
        // Nothing can panic while the lock is held, so a poisoned one is whole.
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        task.await.ok()
    }
}

fn closed() -> StoreError {
    StoreError::Connection("the store is closed".to_owned())
}

/// A transaction of nothing: tells whether the database can be written to.
pub(crate) struct Ping;

#[async_trait]
impl Write for Ping {
    type Answer = ();

    async fn run(&self, _tx: &mut WriteTx<'_>) -> Result<()> {
        Ok(())
    }
}
