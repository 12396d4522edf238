//! The database's file: locked by one owner, and checked while it is in use.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use store::{Result, StoreError};

use crate::surroundings::is_on_network;

/// A path, and the identity of the file that was opened there. Clones share the error that was found.
///
/// A process keeps writing to an open file after it was moved or deleted, and those writes are lost silently. Also,
/// SQLite would apply the write-ahead log that stays behind to another file at the same path. So the file is checked
/// before each commit and each read.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// SQLite's error, if it has found the file damaged.
    damage: Arc<OnceLock<StoreError>>,
}

impl DatabaseFile {
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&std::fs::metadata(&path)?);
        Ok(Self { path, identity, damage: Arc::default() })
    }

    pub(crate) fn check(&self) -> Result<()> {
        let file = self.path.display();
        match std::fs::metadata(&self.path) {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(self.replaced()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Connection(format!(
                "{file} was moved away or deleted while it was in use: put it back"
            ))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(StoreError::Credentials(format!("{file}: {error}")))
            }
            Err(error) => Err(StoreError::Connection(format!("{file}: {error}"))),
        }
    }

    fn replaced(&self) -> StoreError {
        let file = self.path.display();
        StoreError::Connection(format!(
            "{file} was replaced by another file while it was in use: put it back, or restart to use the new one"
        ))
    }

    /// Also fails if the file is known to be damaged: writing would make it worse, and the written data may be lost.
    pub(crate) fn check_for_writing(&self) -> Result<()> {
        self.damage.get().map_or_else(|| self.check(), |damage| Err(damage.clone()))
    }

    /// If `error` says that the file is damaged, remembers it until the next start.
    pub(crate) fn note(&self, error: &StoreError) {
        if let StoreError::Damaged(detail) = error
            && self.damage.set(error.clone()).is_ok()
        {
            tracing::error!(
                detail,
                "the database is damaged and not written to any more: restore a backup and start again"
            );
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Owns the database until it is dropped. The system releases the locks if the process dies.
///
/// The database's file itself is locked, so that it has one owner whatever its names are: symbolic links, hard links and
/// other mounts lead to the same file. SQLite's own locks are of another kind, and do not conflict.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    /// Beside the database. Names the owner's process, and keeps out earlier versions, which lock only this file.
    lock_file: File,
    /// Closing it would also drop SQLite's locks in this process, so it must stay open as long as any connection.
    database: File,
}

pub(crate) enum LockError {
    /// Held by the process with this id, if it has written one.
    Held(Option<u32>),
    /// The database's file cannot be opened or made.
    Database(io::Error),
    LockFile(io::Error),
}

impl OwnerLock {
    /// Creates an empty file if there is no database yet.
    pub(crate) fn take(database: &Path) -> Result<Self, LockError> {
        let open = || match File::open(database) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(database)
            }
            opened => opened,
        };
        let target = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        // The file is never removed: a process that has just opened it would lock a file that the next one does not
        // see.
        let mut lock_file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(target.with_extension("lock"))
            .map_err(LockError::LockFile)?;
        match lock_file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(read_pid(&mut lock_file))),
            Err(TryLockError::Error(error)) => return Err(LockError::LockFile(error)),
        }
        let database = open().map_err(LockError::Database)?;
        if has_separate_locks(&database) {
            match database.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Held(None)),
                Err(TryLockError::Error(error)) => return Err(LockError::Database(error)),
            }
        }
        write_pid(&mut lock_file).map_err(LockError::LockFile)?;
        Ok(Self { lock_file, database })
    }

    /// Lets others own the database. Keeps its file open.
    pub(crate) fn release(&self) -> io::Result<()> {
        self.lock_file.unlock()?;
        self.database.unlock()
    }

    /// Fails if another file has taken the place of the one that was locked.
    pub(crate) fn check(&self, file: &DatabaseFile) -> Result<()> {
        let locked = self.database.metadata().map(|metadata| identity(&metadata));
        if locked.is_ok_and(|locked| locked == file.identity) { Ok(()) } else { Err(file.replaced()) }
    }
}

impl Drop for OwnerLock {
    /// A child process that is just being started holds the files open too, so closing them would not unlock them yet.
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            tracing::warn!(%error, "the database's file could not be unlocked; the system does it when this process ends");
        }
    }
}

/// Whether locks of whole files and SQLite's locks are independent: on Linux, on disks of the machine itself.
fn has_separate_locks(file: &File) -> bool {
    cfg!(target_os = "linux") && !is_on_network(file)
}

/// Truncates after the write, not before: freeing the file's only block would cost milliseconds.
fn write_pid(file: &mut File) -> io::Result<()> {
    let line = format!("{}\n", std::process::id());
    file.rewind()?;
    file.write_all(line.as_bytes())?;
    file.set_len(line.len() as u64)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
