//! Batches concurrent calls of one method into one statement.
//!
//! While a statement runs, the next calls collect. So a busy batcher sends large statements and an idle one small ones.
//! Each method has its own batcher: accepting a search never waits for a claim.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use store::{ChangedTopics, Commit, Inbox, Limits, Notifier, Result, StoreError, group_commit};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The inbox is bounded so that waiting callers cost no memory while the database does not answer, a batch so that its
/// first caller does not wait for ever more later ones.
const LIMITS: Limits = Limits { inbox: 2048, batch: 1000 };
/// How often a write is tried whose transaction the server rolls back because of another one.
pub(crate) const TRIES: u32 = 5;

/// A write that a statement can do together with others of its kind.
#[async_trait]
pub(crate) trait BatchWrite: Sized + Send + Sync + 'static {
    type Answer: Send + 'static;
    /// What the writes share.
    type Context: Send + Sync + 'static;

    /// Does all of `writes` or none, each as if those before it were done. Answers in their order.
    async fn write(writes: &[Self], context: &Self::Context) -> Result<(Vec<Self::Answer>, ChangedTopics)>;
}

#[derive(Debug)]
pub(crate) struct Batcher<W: BatchWrite> {
    inbox: Inbox<Pending<W>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<W: BatchWrite> Batcher<W> {
    pub(crate) fn start(context: W::Context, notifier: Arc<Notifier>) -> Self {
        let (inbox, task) = group_commit(Writer::<W> { context, notifier, writes: PhantomData }, LIMITS);
        let task = tokio::spawn(async move { drop(task.run().await) });
        Self { inbox, task: Mutex::new(Some(task)) }
    }

    /// Returns once the write is committed.
    ///
    /// A caller that stops waiting before its batch has started withdraws the write. Later, the write is done anyway.
    pub(crate) async fn write(&self, write: W) -> Result<W::Answer> {
        self.inbox.hand_in(|caller| Pending { write, caller }).await?.await
    }

    /// Returns once all pending writes are done.
    pub(crate) async fn close(&self) {
        self.inbox.close();
        // No code panics while it holds the lock.
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            drop(task.await);
        }
    }
}

struct Writer<W: BatchWrite> {
    context: W::Context,
    notifier: Arc<Notifier>,
    writes: PhantomData<fn() -> W>,
}

impl<W: BatchWrite> Writer<W> {
    async fn write(&self, writes: &[W]) -> Result<(Vec<W::Answer>, ChangedTopics)> {
        for _ in 1..TRIES {
            match W::write(writes, &self.context).await {
                Err(StoreError::Conflict(_)) => {}
                outcome => return outcome,
            }
        }
        W::write(writes, &self.context).await
    }
}

pub(crate) struct Pending<W: BatchWrite> {
    write: W,
    caller: oneshot::Sender<Result<W::Answer>>,
}

pub(crate) struct Batch<W: BatchWrite> {
    writes: Vec<W>,
    callers: Vec<oneshot::Sender<Result<W::Answer>>>,
    answers: Vec<Result<W::Answer>>,
}

impl<W: BatchWrite> Commit for Writer<W> {
    type Command = Pending<W>;
    type Batch = Batch<W>;

    fn is_awaited(pending: &Pending<W>) -> bool {
        !pending.caller.is_closed()
    }

    fn gather(commands: impl Iterator<Item = Pending<W>>) -> Batch<W> {
        let (writes, callers) = commands.map(|pending| (pending.write, pending.caller)).unzip();
        Batch { writes, callers, answers: Vec::new() }
    }

    async fn commit(&mut self, batch: &mut Batch<W>) -> Result<()> {
        match self.write(&batch.writes).await {
            Ok((answers, changed)) => {
                batch.answers = answers.into_iter().map(Ok).collect();
                changed.notify(&self.notifier);
                Ok(())
            }
            // One bad write must not fail the others.
            Err(StoreError::Sql(reason)) if batch.writes.len() > 1 => {
                tracing::warn!(reason, writes = batch.writes.len(), "a batch failed and is written one by one");
                for write in &batch.writes {
                    let outcome = self.write(std::slice::from_ref(write)).await;
                    batch.answers.push(outcome.map(|(mut answers, changed)| {
                        changed.notify(&self.notifier);
                        answers.pop().expect("each write has an answer")
                    }));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn answer(batch: Batch<W>, failure: Option<&StoreError>) {
        // A caller that no longer waits needs no answer.
        match failure {
            Some(error) => batch.callers.into_iter().for_each(|caller| drop(caller.send(Err(error.clone())))),
            None => batch.callers.into_iter().zip(batch.answers).for_each(|(caller, answer)| drop(caller.send(answer))),
        }
    }
}
