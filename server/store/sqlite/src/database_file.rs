//! The database's file: locked by one owner, and checked while it is in use.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use store::{Result, StoreError};

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
            Ok(_) => Err(StoreError::Connection(format!(
                "{file} was replaced by another file while it was in use: put it back, or restart to use the new one"
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Connection(format!(
                "{file} was moved away or deleted while it was in use: put it back"
            ))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(StoreError::Credentials(format!("{file}: {error}")))
            }
            Err(error) => Err(StoreError::Connection(format!("{file}: {error}"))),
        }
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

/// Owns the database until it is dropped. The system releases the lock if the process dies.
#[derive(Debug)]
pub(crate) struct OwnerLock(#[expect(dead_code, reason = "an open file is the lock")] File);

pub(crate) enum LockError {
    /// Held by the process with this id, if it has written one.
    Held(Option<u32>),
    Io(io::Error),
}

impl OwnerLock {
    pub(crate) fn take(lock_file: &Path) -> Result<Self, LockError> {
        // The file is never removed: a process that has just opened it would lock a file that the next one does not
        // see.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_file)
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => write_pid(&mut file).map_err(LockError::Io)?,
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(read_pid(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        Ok(Self(file))
    }
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
