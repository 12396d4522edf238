//! Connects to the database's file.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::SqliteConnection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::database_file::{LockError, OwnerLock};
use crate::open_error::{OpenError, OpenFailure};
use crate::surroundings::refuse_foreign;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/sqlite");

/// Long enough for another program's backup or short transaction to end.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A checkpoint truncates the write-ahead log to this size.
const JOURNAL_SIZE_LIMIT_BYTES: u32 = 64 * 1024 * 1024;
/// A larger file is not checked at each start: reading all of it would delay the rescue of orphans, which must happen
/// within a second.
const QUICK_CHECK_LIMIT_BYTES: u64 = 128 * 1024 * 1024;

pub(crate) fn make_folder(file: &Path) -> Result<(), OpenError> {
    let folder = folder_of(file);
    // Private whatever the default access list of the folder above is. A folder that exists stays as it is.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|reason| OpenError::FolderCannotBeMade { folder, reason })
}

pub(crate) fn own(file: &Path) -> Result<OwnerLock, OpenError> {
    let is_full = |reason: &io::Error| reason.kind() == io::ErrorKind::StorageFull;
    OwnerLock::take(file).map_err(|error| match error {
        LockError::Held(Some(pid)) => OpenError::Locked { folder: folder_of(file), pid: Some(pid) },
        LockError::Held(None) => OpenError::InUse { file: file.to_owned() },
        LockError::Database(reason) | LockError::LockFile(reason) if is_full(&reason) => {
            OpenError::DiskFull { file: file.to_owned() }
        }
        LockError::Database(reason) => OpenFailure::Sqlx(sqlx::Error::Io(reason)).with_file(file.to_owned()),
        LockError::LockFile(reason) => OpenError::FolderNotWritable { folder: folder_of(file), reason },
        LockError::ForeignLockFile(lock) => OpenError::ForeignLockFile { file: file.to_owned(), lock },
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
        // Logging statements formats a copy of each, which is too slow for a hot path.
        .disable_statement_logging()
}

/// The schema version of this program.
pub(crate) fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Checks the file before anything is changed in it. Returns the schema's version.
pub(crate) async fn check_schema(connection: &mut SqliteConnection, file: &Path) -> Result<i64, OpenFailure> {
    refuse_foreign(connection).await?;
    let mut version = 0;
    let known = sqlx::query_scalar::<_, i64>("select count(*) from sqlite_schema where name = '_sqlx_migrations'");
    if known.fetch_one(&mut *connection).await? > 0 {
        let newest = sqlx::query_scalar::<_, Option<i64>>("select max(version) from _sqlx_migrations");
        version = newest.fetch_one(&mut *connection).await?.unwrap_or(0);
        if version > known_version() {
            return Err(OpenFailure::NewerSchema { version, known: known_version() });
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
