//! A lane: many who ask the same verb at the same time share one statement.
//!
//! While one statement is on its way the next callers gather, so a busy lane makes large statements and an idle one
//! small ones. Each verb has a lane of its own: an accept does not wait for a claim.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use store::{ChangedTopics, Commit, Inbox, Limits, Notifier, Result, StoreError, group_commit};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connections::Connections;
use crate::queue::{Front, fold};

/// The inbox is bounded so that a database that does not answer costs waiting callers and not memory, and a
/// statement so that its first caller does not wait for ever more who came later.
const LIMITS: Limits = Limits { inbox: 2048, batch: 1000 };

/// So many statements of a lane leave so many lines in the tally for each figure.
const FOLD_EVERY: u64 = 256;

/// A write that is done together with others of its kind, in a statement that commits.
#[async_trait]
pub(crate) trait Grouped: Sized + Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Does all of `writes` or none, each as if those before it were done, and answers in their order.
    async fn write(
        writes: &[Self],
        connections: &Connections,
        front: &Front,
    ) -> Result<(Vec<Self::Answer>, ChangedTopics)>;
}

#[derive(Debug)]
pub(crate) struct Lane<W: Grouped> {
    inbox: Inbox<Asked<W>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<W: Grouped> Lane<W> {
    pub(crate) fn start(connections: Connections, front: Arc<Front>, waker: Arc<Notifier>) -> Self {
        let (inbox, task) =
            group_commit(Writer { connections, front, waker, statements: 0, writes: PhantomData }, LIMITS);
        let task = tokio::spawn(async move { drop(task.run().await) });
        Self { inbox, task: Mutex::new(Some(task)) }
    }

    /// The answer, once it is committed.
    ///
    /// A caller who stops waiting before the write has begun takes it back; one who stops
    /// later leaves it to be done.
    pub(crate) async fn ask(&self, write: W) -> Result<W::Answer> {
        self.inbox.hand_in(|caller| Asked { write, caller }).await?.await
    }

    /// Returns once what was handed in is done.
    pub(crate) async fn close(&self) {
        self.inbox.close();
        // Nothing can panic while the lock is held, so a poisoned one is whole.
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            drop(task.await);
        }
    }
}

struct Writer<W> {
    connections: Connections,
    front: Arc<Front>,
    waker: Arc<Notifier>,
    /// How many there were.
    statements: u64,
    writes: PhantomData<fn() -> W>,
}

pub(crate) struct Asked<W: Grouped> {
    write: W,
    caller: oneshot::Sender<Result<W::Answer>>,
}

pub(crate) struct Batch<W: Grouped> {
    writes: Vec<W>,
    callers: Vec<oneshot::Sender<Result<W::Answer>>>,
    answers: Vec<Result<W::Answer>>,
}

impl<W: Grouped> Commit for Writer<W> {
    type Command = Asked<W>;
    type Batch = Batch<W>;

    fn is_awaited(asked: &Asked<W>) -> bool {
        !asked.caller.is_closed()
    }

    fn gather(commands: impl Iterator<Item = Asked<W>>) -> Batch<W> {
        let (writes, callers) = commands.map(|asked| (asked.write, asked.caller)).unzip();
        Batch { writes, callers, answers: Vec::new() }
    }

    async fn commit(&mut self, batch: &mut Batch<W>) -> Result<()> {
        self.statements += 1;
        if self.statements.is_multiple_of(FOLD_EVERY) {
            tokio::spawn(keep_short(self.connections.clone()));
        }
        let Self { connections, front, waker, .. } = self;
        match W::write(&batch.writes, connections, front).await {
            Ok((answers, touched)) => {
                batch.answers = answers.into_iter().map(Ok).collect();
                touched.notify(waker);
                Ok(())
            }
            // One bad write must not fail the others.
            Err(StoreError::Sql(reason)) if batch.writes.len() > 1 => {
                tracing::warn!(reason, writes = batch.writes.len(), "a batch failed and is written one by one");
                for write in &batch.writes {
                    let outcome = W::write(std::slice::from_ref(write), connections, front).await;
                    batch.answers.push(outcome.map(|(mut answers, touched)| {
                        touched.notify(waker);
                        answers.pop().expect("each write that is done is answered")
                    }));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn answer(batch: Batch<W>, failure: Option<&StoreError>) {
        // A caller that has gone in the meantime needs no answer.
        match failure {
            Some(error) => batch.callers.into_iter().for_each(|caller| drop(caller.send(Err(error.clone())))),
            None => batch.callers.into_iter().zip(batch.answers).for_each(|(caller, answer)| drop(caller.send(answer))),
        }
    }
}

/// Nobody waits for it, and the next one makes up for one that fails.
async fn keep_short(connections: Connections) {
    if let Err(error) = fold(&connections).await {
        tracing::debug!(%error, "the tally was not folded");
    }
}
