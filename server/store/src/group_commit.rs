//! Group commit: callers hand commands to one task, which commits all waiting ones together. For implementations of a
//! store.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::{Result, StoreError};

/// How commands are committed.
pub trait Commit: Send + 'static {
    type Command: Send + 'static;
    type Batch: Send;

    /// Whether a caller still waits for the answer.
    fn is_awaited(command: &Self::Command) -> bool;

    fn gather(commands: impl Iterator<Item = Self::Command>) -> Self::Batch;

    /// Commits all of `batch` or nothing, unless its commands can fail individually. Durable when it returns.
    fn commit(&mut self, batch: &mut Self::Batch) -> impl Future<Output = Result<()>> + Send;

    /// Sends each caller the answer to its command, or the error that failed the whole batch.
    fn answer(batch: Self::Batch, failure: Option<&StoreError>);
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many commands may wait. Further callers wait to hand theirs in.
    pub inbox: usize,
    /// How many commands one commit takes.
    pub batch: usize,
}

/// Takes commands from callers.
pub struct Inbox<T> {
    commands: mpsc::Sender<T>,
    closing: Arc<Notify>,
}

/// The task that commits the commands of an [`Inbox`].
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
    /// Returns once the command is in the inbox, with a future for its answer, which is ready after the commit.
    /// Fails with [`StoreError::Connection`] once the inbox is closed.
    ///
    /// Dropping the answer before the task takes the command withdraws it. Later, the command is done anyway.
    pub async fn hand_in<A>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<A>>) -> T,
    ) -> Result<impl Future<Output = Result<A>>> {
        let (caller, answer) = oneshot::channel();
        self.commands.send(command(caller)).await.map_err(|_| closed())?;
        Ok(async { answer.await.map_err(|_| closed())? })
    }

    /// Lets the task end once the inbox is empty. Later commands are rejected.
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
    /// Commits until the inbox is closed and empty. Returns the committer, for the caller to close.
    pub async fn run(mut self) -> C {
        let mut commands = Vec::with_capacity(self.batch_limit);
        loop {
            let received = tokio::select! {
                // A close takes effect before the next batch, however many commands wait.
                biased;
                () = self.closing.notified() => {
                    // Commands in the inbox are still received and committed.
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

#[cfg(test)]
mod interleavings {
    //! Runs the group commit under many interleavings: callers arrive and give up, commits fail, and the inbox is closed
    //! at any moment.
    //!
    //! A failing run prints its seed. `SHUTTLE_RANDOM_SEED=<seed> cargo test -p store interleavings` repeats it, and
    //! `SEARCH4LETTERS_FAULTS=long` tries 50 times as many schedules.

    use std::collections::{BTreeMap, BTreeSet};
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};

    use futures::future::{Either, pending, select};
    use shuttle::future::{block_on, spawn, yield_now};
    use shuttle::rand::{Rng, thread_rng};
    use tokio::sync::oneshot;

    use super::{Commit, Inbox, Limits, closed, group_commit};
    use crate::{Result, StoreError};

    /// Small, so that batches fill up and callers have to wait.
    const LIMITS: Limits = Limits { inbox: 3, batch: 2 };
    const CALLERS: u32 = 4;
    const COMMANDS_EACH: u32 = 3;

    #[test]
    fn every_command_is_committed_once_or_never_and_its_caller_knows_which() {
        shuttle::check_random(|| block_on(one_run()), schedules(4_000));
    }

    fn schedules(usual: usize) -> usize {
        let long = std::env::var("SEARCH4LETTERS_FAULTS").is_ok_and(|faults| faults == "long");
        if long { 50 * usual } else { usual }
    }

    /// Callers, a task, and a close at a random moment.
    async fn one_run() {
        let journal = Arc::new(Journal::default());
        let (inbox, task) = group_commit(Disk { journal: journal.clone() }, LIMITS);
        let (inbox, task) = (Arc::new(inbox), spawn(task.run()));
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (inbox, journal) = (inbox.clone(), journal.clone());
                spawn(async move {
                    for number in 0..COMMANDS_EACH {
                        call(&inbox, journal.clone(), caller * COMMANDS_EACH + number).await;
                    }
                })
            })
            .collect();
        a_while(24).await;
        let handed_in = journal.with(CallState::HandedIn);
        journal.is_closing.store(true, SeqCst);
        inbox.close();
        task.await.expect("the task ends by itself");
        for id in handed_in {
            let ended = journal.is_answered(id) || journal.state(id) == CallState::Gone;
            assert!(ended, "{id} was handed in before the close and never answered");
        }
        let late = inbox.hand_in(|caller| Entry { id: u32::MAX, journal: journal.clone(), caller }).await;
        assert!(late.is_err_and(|error| is_closed(&error)), "a command after the close is refused");
        for caller in callers {
            caller.await.expect("a caller ends by itself");
        }
        journal.check();
    }

    /// One command of a caller that may stop waiting at any moment.
    async fn call(inbox: &Inbox<Entry>, journal: Arc<Journal>, id: u32) {
        let call = async {
            let answer =
                inbox.hand_in(|caller| Entry { id, journal: journal.clone(), caller }).await.inspect_err(|_| {
                    assert!(journal.is_closing.load(SeqCst), "{id} was refused before the close");
                })?;
            journal.set(id, CallState::HandedIn);
            let answer = answer.await;
            assert!(!answer.as_ref().is_err_and(is_closed), "{id} was in the inbox and was refused");
            answer
        };
        let is_patient = thread_rng().gen_bool(0.5);
        let leaves = async { if is_patient { pending().await } else { a_while(6).await } };
        let state = match select(pin!(call), pin!(leaves)).await {
            Either::Left((Ok(batch), _)) => {
                assert!(journal.contains(batch, id), "{id} was answered before its commit");
                CallState::Committed
            }
            Either::Left((Err(_), _)) => CallState::Failed,
            Either::Right(((), _)) => CallState::Gone,
        };
        journal.set(id, state);
    }

    fn is_closed(error: &StoreError) -> bool {
        error.to_string() == closed().to_string()
    }

    /// Yields to the other tasks up to `most` times.
    async fn a_while(most: u32) {
        for _ in 0..thread_rng().gen_range(0..=most) {
            yield_now().await;
        }
    }

    /// A command: writes its id into the journal.
    struct Entry {
        id: u32,
        journal: Arc<Journal>,
        /// Receives the number of the entry's batch.
        caller: oneshot::Sender<Result<usize>>,
    }

    /// What a caller knows about its command.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum CallState {
        HandedIn,
        Committed,
        Failed,
        /// The caller did not wait for the answer.
        Gone,
    }

    /// The committed batches, and the answers that the callers got.
    #[derive(Default)]
    struct Journal {
        batches: Mutex<Vec<Vec<u32>>>,
        answered: Mutex<BTreeSet<u32>>,
        states: Mutex<BTreeMap<u32, CallState>>,
        is_closing: AtomicBool,
    }

    impl Journal {
        /// Returns the number of the batch.
        fn write(&self, entries: &[Entry]) -> usize {
            let mut batches = self.batches.lock().unwrap();
            batches.push(entries.iter().map(|entry| entry.id).collect());
            batches.len() - 1
        }

        fn contains(&self, batch: usize, id: u32) -> bool {
            self.batches.lock().unwrap().get(batch).is_some_and(|ids| ids.contains(&id))
        }

        fn is_answered(&self, id: u32) -> bool {
            self.answered.lock().unwrap().contains(&id)
        }

        fn set(&self, id: u32, state: CallState) {
            self.states.lock().unwrap().insert(id, state);
        }

        fn state(&self, id: u32) -> CallState {
            self.states.lock().unwrap()[&id]
        }

        fn with(&self, state: CallState) -> Vec<u32> {
            self.states.lock().unwrap().iter().filter(|(_, its)| **its == state).map(|(id, _)| *id).collect()
        }

        /// Compares the batches with the callers' answers.
        fn check(&self) {
            let written = self.batches.lock().unwrap().concat();
            let states = self.states.lock().unwrap();
            assert_eq!(states.len(), (CALLERS * COMMANDS_EACH) as usize);
            for (id, state) in states.iter() {
                let times = written.iter().filter(|&written| written == id).count();
                let allowed = match state {
                    CallState::Committed => 1..=1,
                    CallState::Failed => 0..=0,
                    CallState::Gone => 0..=1,
                    CallState::HandedIn => panic!("{id} was never answered"),
                };
                assert!(allowed.contains(&times), "{id} was written {times} times, its caller knows: {state:?}");
            }
        }
    }

    /// Commits to the journal, slowly and with occasional failures.
    struct Disk {
        journal: Arc<Journal>,
    }

    impl Commit for Disk {
        type Command = Entry;
        /// The commands, and the batch's number once it is committed.
        type Batch = (Vec<Entry>, Option<usize>);

        fn is_awaited(entry: &Entry) -> bool {
            !entry.caller.is_closed()
        }

        fn gather(entries: impl Iterator<Item = Entry>) -> Self::Batch {
            let entries: Vec<Entry> = entries.collect();
            assert!((1..=LIMITS.batch).contains(&entries.len()), "a batch of {}", entries.len());
            assert!(entries.iter().all(Self::is_awaited), "a withdrawn command is committed");
            (entries, None)
        }

        async fn commit(&mut self, (entries, number): &mut Self::Batch) -> Result<()> {
            a_while(3).await;
            if thread_rng().gen_bool(0.25) {
                return Err(StoreError::Connection("the disk is full".to_owned()));
            }
            *number = Some(self.journal.write(entries));
            a_while(3).await;
            Ok(())
        }

        fn answer((entries, number): Self::Batch, failure: Option<&StoreError>) {
            for Entry { id, journal, caller } in entries {
                let answer = match failure {
                    Some(error) => Err(error.clone()),
                    None => Ok(number.expect("a batch without an error was committed")),
                };
                journal.answered.lock().unwrap().insert(id);
                // A caller that no longer waits needs no answer.
                let _ = caller.send(answer);
            }
        }
    }
}
