//! What can go wrong, with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why the spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the spool's folder {} cannot be made: {reason}. Make it yourself, or choose another with --data", folder.display())]
    FolderCannotBeMade { folder: PathBuf, reason: io::Error },
    #[error("the spool in {} is in use by another process. Stop that process, or choose another folder with --data", folder.display())]
    InUse { folder: PathBuf },
    #[error("the disk has no room for the spool of {} MiB in {}. Free some space, or make it smaller with --spool-mib", capacity_bytes >> 20, folder.display())]
    DiskFull { folder: PathBuf, capacity_bytes: u64 },
    #[error("the spool in {} cannot be opened: {reason}. See that this user may read and write the folder and what is in it", folder.display())]
    Io { folder: PathBuf, reason: io::Error },
}

/// Why a record was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("the spool is full: {capacity_bytes} bytes are in use")]
    Full { capacity_bytes: u64 },
    #[error("the spool cannot be written to: {reason}")]
    Io { reason: String },
    #[error("the spool has a record of this search already")]
    Exists,
    #[error("the payload has a line break or a NUL in it")]
    Unfit,
    #[error("the spool is closed")]
    Closed,
}
