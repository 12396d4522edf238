//! Connects to the database's file. Errors say in one sentence what is wrong and how to fix it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::FaultKind;
use sqlx::ConnectOptions;
use sqlx::SqliteConnection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use store::StoreError;

use crate::database_file::{LockError, OwnerLock};
use crate::error::{Cause, cause, store_error};

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/sqlite");

/// Long enough for another program's backup or short transaction to end.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A checkpoint truncates the write-ahead log to this size.
const JOURNAL_SIZE_LIMIT_BYTES: u32 = 64 * 1024 * 1024;
/// The write-ahead log is checkpointed after this many pages of 4 KiB.
const CHECKPOINT_PAGES: u32 = 4000;
/// A larger file is not checked at each start: reading all of it would delay the rescue of orphans, which must happen
/// within a second.
const QUICK_CHECK_LIMIT_BYTES: u64 = 128 * 1024 * 1024;

/// Why the database cannot be used. Each text names what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {} cannot be made: {reason}. Make it yourself, or choose another with --data", folder.display())]
    FolderCannotBeMade { folder: PathBuf, reason: io::Error },
    #[error("the data folder {} cannot be written to: {reason}. Give this user write permission, or choose another with --data", folder.display())]
    FolderNotWritable { folder: PathBuf, reason: io::Error },
    #[error("the data folder {} is in use by {}. Stop that process, or choose another folder with --data", folder.display(), process(*pid))]
    Locked { folder: PathBuf, pid: Option<u32> },
    #[error("{} was written by a newer version (schema {version}; this one knows up to {known}). Install that version or a later one", file.display())]
    NewerSchema { file: PathBuf, version: i64, known: i64 },
    #[error("{} is no database, or is damaged: {detail}. Nothing was changed in it; restore a backup, or move it away to begin anew", file.display())]
    Damaged { file: PathBuf, detail: String },
    #[error("{} was written by an older version (schema {version}; this one needs {known}). Stop the server and run `search4letters migrate`", file.display())]
    OlderSchema { file: PathBuf, version: i64, known: i64 },
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
    #[error("{} cannot be written to: {reason}. Give this user write permission on its folder and on the files in it, or choose another with --data", file.display())]
    NotWritable { file: PathBuf, reason: StoreError },
    #[error("{} cannot be opened: {reason}. See that its disk works, and that this user may read and write it", file.display())]
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
            | Self::DiskFull { .. }
            | Self::Busy { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. } => FaultKind::ConnectionError,
            Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::UnfinishedCopy { .. }
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
    NewerSchema { version: i64 },
    OlderSchema { version: i64 },
    UnfinishedCopy { source: String },
    Damaged(String),
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
            Self::NewerSchema { version } => OpenError::NewerSchema { file, version, known: known_version() },
            Self::OlderSchema { version } => OpenError::OlderSchema { file, version, known: known_version() },
            Self::UnfinishedCopy { source } => OpenError::UnfinishedCopy { from: source, to: location(&file), file },
            Self::Damaged(detail) => OpenError::Damaged { file, detail },
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

pub(crate) fn make_folder(file: &Path) -> Result<(), OpenError> {
    let folder = folder_of(file);
    std::fs::create_dir_all(&folder).map_err(|reason| OpenError::FolderCannotBeMade { folder, reason })
}

pub(crate) fn own(file: &Path) -> Result<OwnerLock, OpenError> {
    let lock_file = file.with_extension("lock");
    OwnerLock::take(&lock_file).map_err(|error| match error {
        LockError::Held(pid) => OpenError::Locked { folder: folder_of(file), pid },
        LockError::Io(reason) if reason.kind() == io::ErrorKind::StorageFull => OpenError::DiskFull { file: lock_file },
        LockError::Io(reason) => OpenError::FolderNotWritable { folder: folder_of(file), reason },
    })
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Every connection's settings. SQLite's busy timeout is set before any pragma runs.
pub(crate) fn connect_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        // A file that vanishes at runtime must not be recreated empty.
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        // Each commit reaches the disk before its callers are answered.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES.to_string())
        // Without a memory map, a failing disk is an error and not a signal that kills the process.
        .pragma("mmap_size", "0")
        // Statements sort and buffer little: a temporary file would cost more than it saves.
        .pragma("temp_store", "memory")
        // Four times the default: pages that every commit changes are written to the file less often.
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        // Logging statements formats a copy of each, which is too slow for a hot path.
        .disable_statement_logging()
}

/// The schema version of this program.
pub(crate) fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Checks the file before anything is changed in it. Returns the schema's version.
pub(crate) async fn check_schema(connection: &mut SqliteConnection, file: &Path) -> Result<i64, OpenFailure> {
    let mut version = 0;
    let known = sqlx::query_scalar::<_, i64>("select count(*) from sqlite_schema where name = '_sqlx_migrations'");
    if known.fetch_one(&mut *connection).await? > 0 {
        let newest = sqlx::query_scalar::<_, Option<i64>>("select max(version) from _sqlx_migrations");
        version = newest.fetch_one(&mut *connection).await?.unwrap_or(0);
        if version > known_version() {
            return Err(OpenFailure::NewerSchema { version });
        }
    }
    let size_bytes = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or(0);
    if size_bytes <= QUICK_CHECK_LIMIT_BYTES {
        let check = sqlx::query_scalar::<_, String>("pragma quick_check(1)");
        let detail = check.fetch_one(&mut *connection).await?;
        if detail != "ok" {
            // The first line only names the database.
            return Err(OpenFailure::Damaged(detail.lines().last().unwrap_or_default().to_owned()));
        }
    }
    Ok(version)
}

pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenFailure> {
    // Not `run`: its future is not Send for a borrowed connection.
    MIGRATIONS.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => OpenFailure::Sqlx(error),
        error => OpenFailure::Migration(error.to_string()),
    })
}

/// Rewrites a page without changing it, to find out at the start if the file is read-only or the disk is full.
pub(crate) async fn check_writable(connection: &mut SqliteConnection) -> Result<(), OpenFailure> {
    // SQLite skips an update that changes nothing, but writes this number. It is unused: the schema version is in a
    // table.
    sqlx::query("pragma user_version = 0").execute(connection).await?;
    Ok(())
}

pub(crate) async fn read_or_make_secret(connection: &mut SqliteConnection) -> Result<[u8; 32], OpenFailure> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| sqlx::Error::Io(io::Error::other(error.to_string())))?;
    let fresh = &key[..];
    sqlx::query!("insert into secret (id, key) values (1, ?) on conflict (id) do nothing", fresh)
        .execute(&mut *connection)
        .await?;
    let stored = sqlx::query_scalar!("select key from secret where id = 1").fetch_one(connection).await?;
    stored.try_into().map_err(|_| OpenFailure::Damaged("the secret key has a wrong length".to_owned()))
}

/// A server must not open an unfinished copy.
pub(crate) async fn refuse_unfinished_copy(connection: &mut SqliteConnection) -> Result<(), OpenFailure> {
    let source = sqlx::query_scalar!("select source_name from copy where finished = 0");
    match source.fetch_optional(connection).await? {
        Some(source) => Err(OpenFailure::UnfinishedCopy { source }),
        None => Ok(()),
    }
}
