//! The group commit under many orders of its tasks: callers come, lose patience and go, commits
//! fail, and the close comes at any moment.
//!
//! A failing run prints its seed. `SHUTTLE_RANDOM_SEED=<seed> cargo test -p store
//! interleavings` does the same again; `SEARCH4LETTERS_FAULTS=long` tries 50 times as many orders.

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

/// Small, so that batches are full and callers wait to hand in.
const LIMITS: Limits = Limits { inbox: 3, batch: 2 };
const CALLERS: u32 = 4;
const COMMANDS_EACH: u32 = 3;

#[test]
fn every_command_is_committed_once_or_never_and_its_caller_told_which() {
    shuttle::check_random(|| block_on(a_life()), orders(4_000));
}

fn orders(usual: usize) -> usize {
    let long = std::env::var("SEARCH4LETTERS_FAULTS").is_ok_and(|faults| faults == "long");
    if long { 50 * usual } else { usual }
}

/// Callers, a task, and a close that comes when it comes.
async fn a_life() {
    let book = Arc::new(Book::default());
    let (inbox, task) = group_commit(Disk { book: book.clone() }, LIMITS);
    let (inbox, task) = (Arc::new(inbox), spawn(task.run()));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (inbox, book) = (inbox.clone(), book.clone());
            spawn(async move {
                for number in 0..COMMANDS_EACH {
                    call(&inbox, book.clone(), caller * COMMANDS_EACH + number).await;
                }
            })
        })
        .collect();
    a_while(24).await;
    let handed_in = book.with(Fate::HandedIn);
    book.is_closing.store(true, SeqCst);
    inbox.close();
    task.await.expect("the task ends by itself");
    for id in handed_in {
        let ended = book.is_answered(id) || book.fate(id) == Fate::Gone;
        assert!(ended, "{id} was handed in before the close, and not answered by its end");
    }
    let late = inbox.hand_in(|caller| Entry { id: u32::MAX, book: book.clone(), caller }).await;
    assert!(late.is_err_and(|error| is_closed(&error)), "who comes after the close is told so");
    for caller in callers {
        caller.await.expect("a caller ends by itself");
    }
    book.balance();
}

/// One command of a caller who may stop waiting at any moment.
async fn call(inbox: &Inbox<Entry>, book: Arc<Book>, id: u32) {
    let told = async {
        let answer = inbox.hand_in(|caller| Entry { id, book: book.clone(), caller }).await.inspect_err(|_| {
            assert!(book.is_closing.load(SeqCst), "{id} was refused before the close");
        })?;
        book.set(id, Fate::HandedIn);
        let answer = answer.await;
        assert!(!answer.as_ref().is_err_and(is_closed), "{id} was in the inbox and was refused all the same");
        answer
    };
    let is_patient = thread_rng().gen_bool(0.5);
    let leaves = async { if is_patient { pending().await } else { a_while(6).await } };
    let fate = match select(pin!(told), pin!(leaves)).await {
        Either::Left((Ok(batch), _)) => {
            assert!(book.stands_in(batch, id), "{id} was answered before its commit");
            Fate::Committed
        }
        Either::Left((Err(_), _)) => Fate::Failed,
        Either::Right(((), _)) => Fate::Gone,
    };
    book.set(id, fate);
}

fn is_closed(error: &StoreError) -> bool {
    error.to_string() == closed().to_string()
}

/// Lets the others go on, up to `most` times.
async fn a_while(most: u32) {
    for _ in 0..thread_rng().gen_range(0..=most) {
        yield_now().await;
    }
}

/// A command: to be written down under its number.
struct Entry {
    id: u32,
    book: Arc<Book>,
    /// Is told the batch that the entry stands in.
    caller: oneshot::Sender<Result<usize>>,
}

/// What became of a command, as its caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    HandedIn,
    Committed,
    Failed,
    /// The caller did not wait for the end.
    Gone,
}

/// What was committed, and what the callers were told.
#[derive(Default)]
struct Book {
    batches: Mutex<Vec<Vec<u32>>>,
    answered: Mutex<BTreeSet<u32>>,
    fates: Mutex<BTreeMap<u32, Fate>>,
    is_closing: AtomicBool,
}

impl Book {
    /// Returns the number of the batch.
    fn write(&self, entries: &[Entry]) -> usize {
        let mut batches = self.batches.lock().unwrap();
        batches.push(entries.iter().map(|entry| entry.id).collect());
        batches.len() - 1
    }

    fn stands_in(&self, batch: usize, id: u32) -> bool {
        self.batches.lock().unwrap().get(batch).is_some_and(|ids| ids.contains(&id))
    }

    fn is_answered(&self, id: u32) -> bool {
        self.answered.lock().unwrap().contains(&id)
    }

    fn set(&self, id: u32, fate: Fate) {
        self.fates.lock().unwrap().insert(id, fate);
    }

    fn fate(&self, id: u32) -> Fate {
        self.fates.lock().unwrap()[&id]
    }

    fn with(&self, fate: Fate) -> Vec<u32> {
        self.fates.lock().unwrap().iter().filter(|(_, its)| **its == fate).map(|(id, _)| *id).collect()
    }

    /// Compares what stands in the batches with what the callers were told.
    fn balance(&self) {
        let written = self.batches.lock().unwrap().concat();
        let fates = self.fates.lock().unwrap();
        assert_eq!(fates.len(), (CALLERS * COMMANDS_EACH) as usize);
        for (id, fate) in fates.iter() {
            let times = written.iter().filter(|&written| written == id).count();
            let allowed = match fate {
                Fate::Committed => 1..=1,
                Fate::Failed => 0..=0,
                Fate::Gone => 0..=1,
                Fate::HandedIn => panic!("{id} was never answered"),
            };
            assert!(allowed.contains(&times), "{id} was written {times} times, its caller knows: {fate:?}");
        }
    }
}

/// Commits into the book, slowly, and fails at times.
struct Disk {
    book: Arc<Book>,
}

impl Commit for Disk {
    type Command = Entry;
    /// With its number, once it has one.
    type Batch = (Vec<Entry>, Option<usize>);

    fn is_awaited(entry: &Entry) -> bool {
        !entry.caller.is_closed()
    }

    fn gather(entries: impl Iterator<Item = Entry>) -> Self::Batch {
        let entries: Vec<Entry> = entries.collect();
        assert!((1..=LIMITS.batch).contains(&entries.len()), "a batch of {}", entries.len());
        assert!(entries.iter().all(Self::is_awaited), "a command is committed that its caller took back");
        (entries, None)
    }

    async fn commit(&mut self, (entries, number): &mut Self::Batch) -> Result<()> {
        a_while(3).await;
        if thread_rng().gen_bool(0.25) {
            return Err(StoreError::Connection("the disk is full".to_owned()));
        }
        *number = Some(self.book.write(entries));
        a_while(3).await;
        Ok(())
    }

    fn answer((entries, number): Self::Batch, failure: Option<&StoreError>) {
        for Entry { id, book, caller } in entries {
            let answer = match failure {
                Some(error) => Err(error.clone()),
                None => Ok(number.expect("who is told of no failure was committed")),
            };
            book.answered.lock().unwrap().insert(id);
            // Who has gone in the meantime needs no answer.
            let _ = caller.send(answer);
        }
    }
}
