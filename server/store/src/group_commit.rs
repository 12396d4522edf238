//! Group commit: callers hand commands to one task, which commits all that wait together. For implementations of a
//! store.

#[cfg(test)]
mod interleavings;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::{Result, StoreError};

/// How commands are committed. Knows nothing of inboxes and limits.
pub trait Commit: Send + 'static {
    type Command: Send + 'static;
    type Batch: Send;

    /// Whether a caller still waits for the answer.
    fn is_awaited(command: &Self::Command) -> bool;

    fn gather(commands: impl Iterator<Item = Self::Command>) -> Self::Batch;

    /// Commits all of `batch` or nothing, unless its commands can fail one by one. Durable when it returns.
    fn commit(&mut self, batch: &mut Self::Batch) -> impl Future<Output = Result<()>> + Send;

    /// Sends each caller the answer to its command, or the failure of all.
    fn answer(batch: Self::Batch, failure: Option<&StoreError>);
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many commands may wait. Beyond it, callers wait to hand theirs in.
    pub inbox: usize,
    /// How many commands one commit takes.
    pub batch: usize,
}

/// Where commands are handed in.
pub struct Inbox<T> {
    commands: mpsc::Sender<T>,
    closing: Arc<Notify>,
}

/// The task that commits what is handed in.
pub struct GroupCommit<C: Commit> {
    commands: mpsc::Receiver<C::Command>,
    closing: Arc<Notify>,
    batch_limit: usize,
    commit: C,
}

/// Both ends of a group commit by `commit`.
pub fn group_commit<C: Commit>(commit: C, limits: Limits) -> (Inbox<C::Command>, GroupCommit<C>) {
    let (sender, commands) = mpsc::channel(limits.inbox);
    let closing = Arc::new(Notify::new());
    let inbox = Inbox { commands: sender, closing: Arc::clone(&closing) };
    (inbox, GroupCommit { commands, closing, batch_limit: limits.batch, commit })
}

impl<T> Inbox<T> {
    /// Returns when the command is in the inbox, with its answer to wait for, which comes after the commit.
    /// Fails with [`StoreError::Connection`] once the inbox is closed.
    ///
    /// A caller that drops the answer before its command is taken takes it back; one that does
    /// so later leaves it to be done.
    pub async fn hand_in<A>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<A>>) -> T,
    ) -> Result<impl Future<Output = Result<A>>> {
        let (caller, answer) = oneshot::channel();
        self.commands.send(command(caller)).await.map_err(|_| closed())?;
        Ok(async { answer.await.map_err(|_| closed())? })
    }

    /// Lets the task end once it has done what was handed in. Later commands are refused.
    pub fn close(&self) {
        self.closing.notify_one();
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("commands", &self.commands).finish_non_exhaustive()
    }
}

impl<C: Commit> GroupCommit<C> {
    /// Commits until the inbox is closed and empty. Returns what is to be closed last.
    pub async fn run(mut self) -> C {
        let mut commands = Vec::with_capacity(self.batch_limit);
        loop {
            let received = tokio::select! {
                // However many commands wait, a close takes effect before the next batch.
                biased;
                () = self.closing.notified() => {
                    // What is in the inbox is still received and committed.
                    self.commands.close();
                    continue;
                }
                received = self.commands.recv_many(&mut commands, self.batch_limit) => received,
            };
            if received == 0 {
                return self.commit;
            }
            commands.retain(C::is_awaited);
            if commands.is_empty() {
                continue;
            }
            let mut batch = C::gather(commands.drain(..));
            let outcome = self.commit.commit(&mut batch).await;
            C::answer(batch, outcome.as_ref().err());
        }
    }
}

fn closed() -> StoreError {
    StoreError::Connection("the store is closed".to_owned())
}
