//! Keeps the records of searches on disk while the database cannot: an append-only file of
//! checksummed lines, durable before the answer leaves, emptied once all of it was replayed.
//!
//! Knows nothing of databases, of jobs or of HTTP. `line` is the form of a record, `image` what a
//! whole file says, `file` how it is written so that no crash can garble it, `keeper` the
//! thread that writes.

mod error;
mod file;
mod folder;
mod image;
mod keeper;
mod line;
mod look;
mod medium;
mod set_aside;
#[cfg(test)]
mod simulated_disk;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{SearchId, TimeMs};
use tokio::sync::{mpsc, oneshot, watch};

use crate::keeper::{Command, Keeper};

pub use crate::error::{AppendError, OpenError};
pub use crate::look::{Look, look};
pub use crate::set_aside::set_aside_file;

/// A search's record, as it will be handed to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub search: SearchId,
    pub searched_at: TimeMs,
    /// The log job's payload: one line, which the spool neither reads nor changes.
    pub payload: String,
}

/// Where the spool is, and how large.
#[derive(Clone, Debug)]
pub struct Options {
    /// Made where it is missing. One process at a time may have it.
    pub folder: PathBuf,
    /// The size of its file, which is written in full at once: so a disk that fills up later
    /// does not stop it.
    pub capacity_bytes: u64,
}

/// How the spool stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub records: u64,
    pub used_bytes: u64,
    pub capacity_bytes: u64,
    pub oldest_at: Option<TimeMs>,
    /// Removed since the start, because the database has them.
    pub replayed: u64,
    /// Lines in the file of what was set aside; 0 once it was moved away.
    pub set_aside: u64,
    /// Why the last write failed, if it did.
    pub fault: Option<String>,
}

/// The handle, shared by all who accept searches. At most so many records are in memory as
/// the file holds.
#[derive(Debug)]
pub struct Spool {
    commands: mpsc::Sender<Command>,
    book: Arc<Mutex<Book>>,
    state: watch::Receiver<State>,
    folder: PathBuf,
    set_aside_file: PathBuf,
}

/// Appends that may wait for the disk. Who comes later waits to hand theirs in.
const INBOX_LIMIT: usize = 1024;

impl Spool {
    /// Opens the folder's spool and reads what an earlier process has left in it.
    ///
    /// Lines that are damaged go to the file of what was set aside, and the log says so. A last
    /// line that a crash has torn was never answered for, and is dropped.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (commands, inbox) = mpsc::channel(INBOX_LIMIT);
        let book = Arc::new(Mutex::new(Book::default()));
        let folder = options.folder.clone();
        let set_aside_file = set_aside_file(&folder);
        let state = Keeper::start(options, inbox, Arc::clone(&book))?;
        Ok(Self { commands, book, state, folder, set_aside_file })
    }

    /// Makes the record durable. Once this has returned Ok, no crash loses it.
    ///
    /// Callers that wait at the same time share one fsync. A caller who stops waiting leaves it
    /// open whether the record is kept. A search has one record: a second one is refused with
    /// [`AppendError::Exists`], and [`Spool::find`] says what is there.
    pub async fn append(&self, record: Record) -> Result<(), AppendError> {
        let (caller, answer) = oneshot::channel();
        self.commands.send(Command::Append { record, caller }).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// The record of this search, where the spool has it.
    #[must_use]
    pub fn find(&self, search: SearchId) -> Option<Arc<Record>> {
        let book = lock(&self.book);
        book.get(search)
    }

    /// The oldest records, at most `limit`.
    #[must_use]
    pub fn oldest(&self, limit: usize) -> Vec<Arc<Record>> {
        lock(&self.book).records.values().take(limit).cloned().collect()
    }

    /// Removes records that the database has. The file is emptied when none is left; a crash
    /// before that brings them back, which replaying the same search must bear.
    pub async fn remove(&self, searches: Vec<SearchId>) {
        self.order(|caller| Command::Remove { searches, caller }).await;
    }

    /// Moves a record that the database refuses for good to the file of what was set aside.
    pub async fn set_aside(&self, search: SearchId, why: String) {
        self.order(|caller| Command::SetAside { search, why, caller }).await;
    }

    async fn order(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (caller, done) = oneshot::channel();
        // The thread lives as long as there is a handle.
        if self.commands.send(command(caller)).await.is_ok() {
            let _ = done.await;
        }
    }

    #[must_use]
    pub fn state(&self) -> State {
        let state = self.state.borrow().clone();
        // Whoever has dealt with what was set aside moves the file away.
        let set_aside = if self.set_aside_file.exists() { state.set_aside } else { 0 };
        State { set_aside, ..state }
    }

    /// Tells of each change of [`Spool::state`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where damaged and refused records are kept.
    #[must_use]
    pub fn set_aside_file(&self) -> &Path {
        &self.set_aside_file
    }
}

/// The records that are in the file, by their line's number: oldest first.
#[derive(Debug, Default)]
pub(crate) struct Book {
    records: BTreeMap<u64, Arc<Record>>,
    numbers: HashMap<SearchId, u64>,
}

impl Book {
    pub(crate) fn add(&mut self, number: u64, record: Record) {
        self.numbers.insert(record.search, number);
        self.records.insert(number, Arc::new(record));
    }

    pub(crate) fn get(&self, search: SearchId) -> Option<Arc<Record>> {
        self.numbers.get(&search).and_then(|number| self.records.get(number)).cloned()
    }

    pub(crate) fn has(&self, search: SearchId) -> bool {
        self.numbers.contains_key(&search)
    }

    pub(crate) fn remove(&mut self, search: SearchId) -> Option<Arc<Record>> {
        self.records.remove(&self.numbers.remove(&search)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn oldest_at(&self) -> Option<TimeMs> {
        self.records.values().next().map(|record| record.searched_at)
    }
}

/// Nothing panics while the book is locked, so a poisoned one is whole.
pub(crate) fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
