//! One owner at a time for a database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Holds the database until it is dropped; the system lets go of it when the process dies.
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

/// Cut off behind the number, not before it is written: giving a file's only block back costs milliseconds.
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
