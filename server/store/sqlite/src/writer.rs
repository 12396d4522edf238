//! The one connection that writes. Whoever wants to write hands a command to its task, which
//! gathers all that wait into one transaction and answers each after the commit.

mod batch;
mod changes;
mod committer;
mod transaction;

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use store::{Inbox, Limits, Result, group_commit};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::writer::batch::Single;

pub(crate) use crate::writer::batch::{Asked, Command, GroupedWrite, Write};
pub(crate) use crate::writer::committer::Committer;
pub(crate) use crate::writer::transaction::{Numbered, WriteTx};

/// The inbox is bounded so that a locked database costs waiting visitors and not memory, and a
/// batch so that its first caller does not wait for ever more who came later.
const LIMITS: Limits = Limits { inbox: 2048, batch: 1000 };

/// The handle to the task that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    inbox: Inbox<Command>,
    task: Mutex<Option<JoinHandle<Committer>>>,
}

impl Writer {
    pub(crate) fn start(committer: Committer) -> Self {
        let (inbox, task) = group_commit(committer, LIMITS);
        Self { inbox, task: Mutex::new(Some(tokio::spawn(task.run()))) }
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
        self.inbox.hand_in(command).await?.await
    }

    /// Finishes what was handed in and returns the committer, to be closed last, at the first call.
    pub(crate) async fn close(&self) -> Option<Committer> {
        self.inbox.close();
        // Nothing can panic while the lock is held, so a poisoned one is whole.
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        task.await.ok()
    }
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
