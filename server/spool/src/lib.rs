//! Keeps search records on disk while the database is unavailable.
//!
//! The spool is an append-only file of checksummed lines. Each append is durable before it returns, and the
//! file is emptied once every record has been replayed. The crate knows nothing of databases, jobs or HTTP.
//!
//! `line` is the format of one record, `image` reads a whole file, `file` writes it so that no crash can corrupt
//! it, `folder` manages the files on disk, `file_system` knows what lies below them, and `writer_thread` owns them while the spool is open.

mod file;
mod file_system;
mod folder;
mod image;
mod line;
#[cfg(test)]
mod tests;
mod writer_thread;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use api::{SearchId, TimeMs};
use tokio::sync::{mpsc, oneshot, watch};

use crate::folder::Place;
use crate::writer_thread::{Command, Index, WriterThread, lock};

pub use crate::file_system::Risk;
pub use crate::folder::{Inspection, inspect, quarantine_file};

/// A search's record, to be replayed into the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub search: SearchId,
    pub searched_at: TimeMs,
    /// The log job's payload on one line. The spool neither reads nor changes it.
    pub payload: String,
}

/// Where the spool is, and how large.
#[derive(Clone, Debug)]
pub struct Options {
    /// Created if it is missing. Only one process at a time can open it.
    pub folder: PathBuf,
    /// The size of the file. It is written at once, so a disk that fills up later does not stop the spool, unless the file
    /// system takes new blocks for each write ([`Risk::CopyOnWrite`]).
    pub capacity_bytes: u64,
}

/// The spool's contents, and whether it can be written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub records: u64,
    pub used_bytes: u64,
    pub capacity_bytes: u64,
    pub oldest_at: Option<TimeMs>,
    /// Records removed since the start, because the database has them.
    pub replayed: u64,
    /// Lines in the quarantine file. 0 once that file was moved away.
    pub quarantined: u64,
    /// Why the last write failed, if it did, or why the next one will.
    pub fault: Option<String>,
}

/// Why the spool cannot be opened, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the spool's folder {} cannot be made: {reason}. Make it yourself, or choose another with --data", folder.display())]
    FolderCannotBeMade { folder: PathBuf, reason: io::Error },
    #[error("the spool in {} is in use by another process. Stop that process, or choose another folder with --data", folder.display())]
    InUse { folder: PathBuf },
    #[error("the disk has no room for the spool of {} MiB in {}. Free some space, or make it smaller with --spool-mib", capacity_bytes >> 20, folder.display())]
    DiskFull { folder: PathBuf, capacity_bytes: u64 },
    #[error("the spool of {} MiB in {} is larger than a file of this process may be. Raise the limit (ulimit -f, LimitFSIZE), or make the spool smaller with --spool-mib", capacity_bytes >> 20, folder.display())]
    TooLarge { folder: PathBuf, capacity_bytes: u64 },
    #[error("the spool in {} cannot be opened: {reason}. Check that this user may read and write the folder and the files in it", folder.display())]
    Io { folder: PathBuf, reason: io::Error },
}

/// Why a record was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("the spool is full: {capacity_bytes} bytes are in use")]
    Full { capacity_bytes: u64 },
    #[error("the spool cannot be written to: {reason}")]
    Io { reason: String },
    #[error("the spool already has a record of this search")]
    Exists,
    #[error("the payload contains a line break or a NUL")]
    Unfit,
    #[error("the spool is closed")]
    Closed,
}

/// The most commands that may wait for the disk. Further callers wait until there is room.
const INBOX_LIMIT: usize = 1024;

/// The handle of the spool, shared by all callers. All records in the file are also in memory.
#[derive(Debug)]
pub struct Spool {
    commands: mpsc::Sender<Command>,
    index: Arc<Mutex<Index>>,
    state: watch::Receiver<State>,
    place: Arc<Place>,
    folder: PathBuf,
    quarantine_file: PathBuf,
}

impl Spool {
    /// Opens the folder's spool and reads the records that an earlier process left in it.
    ///
    /// Damaged lines are quarantined and logged. A last line that a crash cut off was never acknowledged, and is
    /// dropped.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (commands, inbox) = mpsc::channel(INBOX_LIMIT);
        let index = Arc::new(Mutex::new(Index::default()));
        let folder = options.folder.clone();
        let quarantine_file = quarantine_file(&folder);
        let (state, place) = WriterThread::start(&options, inbox, Arc::clone(&index))?;
        Ok(Self { commands, index, state, place, folder, quarantine_file })
    }

    /// Makes the record durable. Once this has returned Ok, no crash loses it.
    ///
    /// Concurrent callers share one fsync. If a caller stops waiting, the record may or may not be kept. A search has
    /// one record: a second one is refused with [`AppendError::Exists`], and [`Spool::find`] returns the first.
    pub async fn append(&self, record: Record) -> Result<(), AppendError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Append { record, reply }).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// The record of this search, if the spool has it.
    pub fn find(&self, search: SearchId) -> Option<Arc<Record>> {
        lock(&self.index).get(search)
    }

    /// The oldest records, at most `limit`.
    pub fn oldest(&self, limit: usize) -> Vec<Arc<Record>> {
        lock(&self.index).oldest(limit)
    }

    /// Removes records that are in the database. The file is emptied when no record is left. A crash before that
    /// restores the removed records, so replaying a search twice must be harmless.
    pub async fn remove(&self, searches: Vec<SearchId>) {
        self.command(|reply| Command::Remove { searches, reply }).await;
    }

    /// Moves a record that the database always rejects to the quarantine file.
    pub async fn quarantine(&self, search: SearchId, why: String) {
        self.command(|reply| Command::Quarantine { search, why, reply }).await;
    }

    async fn command(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (reply, done) = oneshot::channel();
        // The thread runs as long as there is a handle.
        if self.commands.send(command(reply)).await.is_ok() {
            let _ = done.await;
        }
    }

    pub fn state(&self) -> State {
        let state = self.state.borrow().clone();
        // An operator who has dealt with the quarantined records moves the file away.
        let quarantined = if self.quarantine_file.exists() { state.quarantined } else { 0 };
        // Somebody may have removed the folder since the last write.
        let fault = state.fault.or_else(|| self.place.check().err().map(|error| error.to_string()));
        State { quarantined, fault, ..state }
    }

    /// Notifies of each change of [`Spool::state`].
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of damaged and rejected records.
    pub fn quarantine_file(&self) -> &Path {
        &self.quarantine_file
    }
}
