//! The database's file: one owner at a time, and watched while it is in use.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use store::{Result, StoreError};

/// A file's path, and which file stood there when it was opened. Clones share what is known of it.
///
/// A process that has a file open keeps writing to it after it was moved away or deleted, and everything
/// that it writes then is lost silently. And SQLite would mix the write-ahead log that is left behind
/// with another file that is put there. So the file is checked before each commit and each read.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// SQLite's error when it found the file damaged.
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

    /// Fails also where the file is known to be damaged: writing makes it worse, and what it takes may be lost with it.
    pub(crate) fn check_for_writing(&self) -> Result<()> {
        self.damage.get().map_or_else(|| self.check(), |damage| Err(damage.clone()))
    }

    /// Remembers until the next start that the file is damaged, if `error` says so.
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

/// Owns the database until it is dropped; the system releases it when the process dies.
#[derive(Debug)]
pub(crate) struct OwnerLock(#[expect(dead_code, reason = "an open file is the lock")] File);

pub(crate) enum LockError {
    /// Held by the process of this id, where it has written one.
    Held(Option<u32>),
    Io(io::Error),
}

impl OwnerLock {
    pub(crate) fn take(lock_file: &Path) -> Result<Self, LockError> {
        // The file is not removed at the end: a process that has just opened it would then
        // lock a file that the next one does not see.
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

/// Truncated after the write, not before: freeing a file's only block costs milliseconds.
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
