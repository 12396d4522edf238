//! Why a database's file cannot be used. Errors say in one sentence what is wrong and how to fix it.

use std::io;
use std::path::{Path, PathBuf};

use api::FaultKind;
use store::StoreError;

use crate::error::{Cause, cause, store_error};

/// Why the database cannot be used. Each text names what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {} cannot be made: {reason}. Make it yourself, or choose another with --data", folder.display())]
    FolderCannotBeMade { folder: PathBuf, reason: io::Error },
    #[error("the data folder {} cannot be written to: {reason}. Give this user write permission, or choose another with --data", folder.display())]
    FolderNotWritable { folder: PathBuf, reason: io::Error },
    #[error("the data folder {} is in use by {}. Stop that process, or choose another folder with --data", folder.display(), process(*pid))]
    Locked { folder: PathBuf, pid: Option<u32> },
    #[error("{} is in use by another process, under this name or another one. Stop that process, or choose another file", file.display())]
    InUse { file: PathBuf },
    #[error("{} is in the way: it was not written by this program, which needs a file of this name beside {}. Nothing was changed in it; move it away, or give the database another name", lock.display(), file.display())]
    ForeignLockFile { file: PathBuf, lock: PathBuf },
    #[error("{} cannot be used: {reason}", file.display())]
    Unfit { file: PathBuf, reason: String },
    #[error("{} was written by a newer version (schema {version}; this one knows up to {known}). Install that version or a later one", file.display())]
    NewerSchema { file: PathBuf, version: i64, known: i64 },
    #[error("{} is no database, or is damaged: {detail}. Nothing was changed in it; restore a backup, or move it away to begin anew", file.display())]
    Damaged { file: PathBuf, detail: String },
    #[error("{} was written by an older version (schema {version}; this one needs {known}). Stop the server and run `search4letters migrate`", file.display())]
    OlderSchema { file: PathBuf, version: i64, known: i64 },
    #[error("{} is empty. Run `search4letters migrate`, or start the server: either makes the tables", file.display())]
    Empty { file: PathBuf },
    #[error("{} holds a copy that is not finished. Finish it with `search4letters copy --from {from} --to {to}`, or move the file away", file.display())]
    UnfinishedCopy { file: PathBuf, from: String, to: String },
    #[error("{} does not exist: there is nothing to copy. Name the database's file after --from", file.display())]
    Missing { file: PathBuf },
    #[error("the disk that holds {} is full. Free some space and start again", file.display())]
    DiskFull { file: PathBuf },
    #[error("{} is locked by another program. Close what has it open and start again", file.display())]
    Busy { file: PathBuf },
    #[error("{} cannot be brought up to date: {reason}", file.display())]
    Migration { file: PathBuf, reason: String },
    #[error("{} cannot be written to: {}. Give this user write permission on its folder and on the files in it, or choose another with --data", file.display(), reason.detail())]
    NotWritable { file: PathBuf, reason: StoreError },
    #[error("{} cannot be opened: {}. See that its disk works, and that this user may read and write it", file.display(), reason.detail())]
    Other { file: PathBuf, reason: StoreError },
}

impl OpenError {
    /// Which of the operator's three questions to ask.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::FolderCannotBeMade { .. } | Self::FolderNotWritable { .. } | Self::NotWritable { .. } => {
                FaultKind::CredentialsError
            }
            Self::Locked { .. }
            | Self::InUse { .. }
            | Self::ForeignLockFile { .. }
            | Self::DiskFull { .. }
            | Self::Busy { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. } => FaultKind::ConnectionError,
            Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::Empty { .. }
            | Self::UnfinishedCopy { .. }
            | Self::Unfit { .. }
            | Self::Migration { .. } => FaultKind::SqlError,
            Self::Other { reason, .. } => reason.kind(),
        }
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// An [`OpenError`] before it knows its file.
pub(crate) enum OpenFailure {
    NewerSchema { version: i64, known: i64 },
    OlderSchema { version: i64, known: i64 },
    Empty,
    UnfinishedCopy { source: String },
    Damaged(String),
    Unfit(String),
    Replaced(StoreError),
    Migration(String),
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for OpenFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl OpenFailure {
    pub(crate) fn with_file(self, file: PathBuf) -> OpenError {
        match self {
            Self::NewerSchema { version, known } => OpenError::NewerSchema { file, version, known },
            Self::OlderSchema { version, known } => OpenError::OlderSchema { file, version, known },
            Self::Empty => OpenError::Empty { file },
            Self::UnfinishedCopy { source } => OpenError::UnfinishedCopy { from: source, to: location(&file), file },
            Self::Damaged(detail) => OpenError::Damaged { file, detail },
            Self::Unfit(reason) => OpenError::Unfit { file, reason },
            Self::Replaced(reason) => OpenError::Other { file, reason },
            Self::Migration(reason) => OpenError::Migration { file, reason },
            Self::Sqlx(error) => match cause(&error) {
                Cause::Full => OpenError::DiskFull { file },
                Cause::Damaged => OpenError::Damaged { file, detail: error.to_string() },
                Cause::Busy => OpenError::Busy { file },
                Cause::Refused => OpenError::NotWritable { file, reason: store_error(error) },
                Cause::Unreachable | Cause::Statement => OpenError::Other { file, reason: store_error(error) },
            },
        }
    }
}

/// The database as written after `--from`, independent of the working directory.
pub(crate) fn location(file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    format!("sqlite:{}", file.display())
}
