//! The writes that share a transaction, and their callers.

use async_trait::async_trait;
use store::{Result, StoreError};
use tokio::sync::oneshot;

use crate::log::Record;
use crate::queue::{Add, FinishAttempts};
use crate::writer::WriteTx;

/// A write that is done by itself, if in a shared transaction.
#[async_trait]
pub(crate) trait Write: Send + Sync + 'static {
    type Answer: Send + 'static;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<Self::Answer>;
}

/// A write that is done together with all others of its kind.
#[async_trait]
pub(crate) trait GroupedWrite: Sized + Send + Sync + 'static {
    type Answer: Send + 'static;

    fn command(asked: Asked<Self>) -> Command;

    /// Does all of `writes`, each as if those before it were done, and answers in their order.
    async fn run_all(writes: &[Self], tx: &mut WriteTx<'_>) -> Result<Vec<Self::Answer>>;
}

/// What is handed to the writer.
pub(crate) enum Command {
    Record(Asked<Record>),
    AttemptResult(Asked<FinishAttempts>),
    Add(Asked<Add>),
    Other(Box<dyn Part>),
}

impl Command {
    pub(crate) fn is_awaited(&self) -> bool {
        match self {
            Self::Record(asked) => asked.is_awaited(),
            Self::AttemptResult(asked) => asked.is_awaited(),
            Self::Add(asked) => asked.is_awaited(),
            Self::Other(part) => part.is_awaited(),
        }
    }
}

/// A write, and who waits for its answer.
pub(crate) struct Asked<W: GroupedWrite> {
    pub(crate) write: W,
    pub(crate) caller: oneshot::Sender<Result<W::Answer>>,
}

impl<W: GroupedWrite> Asked<W> {
    fn is_awaited(&self) -> bool {
        !self.caller.is_closed()
    }
}

/// How a batch is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pass {
    /// An error is the whole batch's.
    Together,
    /// Each command in a savepoint, so that an error is one command's.
    OneByOne,
}

pub(crate) struct Batch {
    parts: Vec<Box<dyn Part>>,
}

impl Batch {
    /// Sorts `commands` into groups, and leaves out the groups that nobody waits for.
    pub(crate) fn gather(commands: impl Iterator<Item = Command>) -> Self {
        let mut records = Group::default();
        let mut finished = Group::default();
        let mut added = Group::default();
        let mut others: Vec<Box<dyn Part>> = Vec::new();
        for command in commands {
            match command {
                Command::Record(asked) => records.push(asked),
                Command::AttemptResult(asked) => finished.push(asked),
                Command::Add(asked) => added.push(asked),
                Command::Other(part) => others.push(part),
            }
        }
        // Claims are among the others and come last, so that they find what the batch adds.
        let groups: [Box<dyn Part>; 3] = [Box::new(records), Box::new(finished), Box::new(added)];
        let parts = groups.into_iter().chain(others).filter(|part| part.is_awaited()).collect();
        Self { parts }
    }

    /// How many commands there are.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    pub(crate) async fn run(&mut self, tx: &mut WriteTx<'_>, pass: Pass) -> Result<()> {
        for part in &mut self.parts {
            part.run(tx, pass).await?;
        }
        Ok(())
    }

    /// Tells each caller what came of its command, or that all of them failed.
    pub(crate) fn answer(self, failure: Option<&StoreError>) {
        for part in self.parts {
            part.answer(failure);
        }
    }
}

/// One or more commands of a batch.
#[async_trait]
pub(crate) trait Part: Send {
    fn len(&self) -> usize;
    fn is_awaited(&self) -> bool;
    async fn run(&mut self, tx: &mut WriteTx<'_>, pass: Pass) -> Result<()>;
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

struct Group<W: GroupedWrite> {
    writes: Vec<W>,
    callers: Vec<oneshot::Sender<Result<W::Answer>>>,
    answers: Vec<Result<W::Answer>>,
}

impl<W: GroupedWrite> Default for Group<W> {
    fn default() -> Self {
        Self { writes: Vec::new(), callers: Vec::new(), answers: Vec::new() }
    }
}

impl<W: GroupedWrite> Group<W> {
    fn push(&mut self, Asked { write, caller }: Asked<W>) {
        self.writes.push(write);
        self.callers.push(caller);
    }
}

#[async_trait]
impl<W: GroupedWrite> Part for Group<W> {
    fn len(&self) -> usize {
        self.writes.len()
    }

    fn is_awaited(&self) -> bool {
        self.callers.iter().any(|caller| !caller.is_closed())
    }

    async fn run(&mut self, tx: &mut WriteTx<'_>, pass: Pass) -> Result<()> {
        match pass {
            Pass::Together => {
                self.answers = W::run_all(&self.writes, tx).await?.into_iter().map(Ok).collect();
            }
            Pass::OneByOne => {
                self.answers.clear();
                for write in &self.writes {
                    let mark = tx.mark().await?;
                    let outcome = W::run_all(std::slice::from_ref(write), tx).await;
                    let outcome = tx.settle(mark, outcome).await?;
                    self.answers.push(
                        outcome.map(|mut answers| answers.pop().expect("run_all answers each write that it is given")),
                    );
                }
            }
        }
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        // A caller that has gone in the meantime needs no answer.
        match failure {
            Some(error) => self.callers.into_iter().for_each(|caller| drop(caller.send(Err(error.clone())))),
            None => self.callers.into_iter().zip(self.answers).for_each(|(caller, answer)| drop(caller.send(answer))),
        }
    }
}

pub(crate) struct Single<W: Write> {
    write: W,
    caller: oneshot::Sender<Result<W::Answer>>,
    answer: Option<Result<W::Answer>>,
}

impl<W: Write> Single<W> {
    pub(crate) fn new(write: W, caller: oneshot::Sender<Result<W::Answer>>) -> Self {
        Self { write, caller, answer: None }
    }
}

#[async_trait]
impl<W: Write> Part for Single<W> {
    fn len(&self) -> usize {
        1
    }

    fn is_awaited(&self) -> bool {
        !self.caller.is_closed()
    }

    async fn run(&mut self, tx: &mut WriteTx<'_>, pass: Pass) -> Result<()> {
        let answer = match pass {
            Pass::Together => Ok(self.write.run(tx).await?),
            Pass::OneByOne => {
                let mark = tx.mark().await?;
                let outcome = self.write.run(tx).await;
                tx.settle(mark, outcome).await?
            }
        };
        self.answer = Some(answer);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        let answer = match failure {
            Some(error) => Some(Err(error.clone())),
            None => self.answer,
        };
        if let Some(answer) = answer {
            // A caller that has gone in the meantime needs no answer.
            drop(self.caller.send(answer));
        }
    }
}
