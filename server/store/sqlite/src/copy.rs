//! The source or target of a copy: one connection, and no other owner of the file.

mod begin;
mod read;
mod write;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::Result;
use store::copy::{BeginOutcome, Cursor, Metadata, Progress, Records, Source, SourceIdentity, Table, Target};
use tokio::sync::Mutex;

use crate::connect::{
    BUSY_TIMEOUT, check_schema, check_writable, connect_options, known_version, make_folder, migrate, own,
    read_or_make_secret, refuse_unfinished_copy,
};
use crate::database_file::{DatabaseFile, OwnerLock};
use crate::error::store_error;
use crate::log_rows::rows_after;
use crate::open_error::{OpenError, OpenFailure, location};
use crate::surroundings::refuse_unfit;
use crate::transaction::Transaction;

/// See [`store::copy::Source`] and [`store::copy::Target`].
#[derive(Debug)]
pub struct SqliteCopy {
    connection: Mutex<SqliteConnection>,
    database_file: DatabaseFile,
    file: PathBuf,
    _lock: OwnerLock,
}

impl SqliteCopy {
    /// Opens a database that exists and has this version's schema. Nothing in its file is changed.
    pub async fn source(file: &Path) -> Result<Self, OpenError> {
        if !file.exists() {
            return Err(OpenError::Missing { file: file.to_owned() });
        }
        let lock = own(file)?;
        let opened = async {
            // Without any of the settings that write to a file.
            let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
            let mut connection = options.pragma("mmap_size", "0").disable_statement_logging().connect().await?;
            let version = check_schema(&mut connection, file).await?;
            if version < known_version() {
                return Err(OpenFailure::OlderSchema { version, known: known_version() });
            }
            refuse_unfinished_copy(&mut connection).await?;
            // One transaction to the end, so that concurrent writes of `admin` do not get into half of the copy.
            sqlx::query("begin").execute(&mut connection).await?;
            sqlx::query("select 1 from secret").execute(&mut connection).await?;
            Ok(connection)
        };
        Self::of(opened.await, file, lock)
    }

    /// Opens or creates a database to copy into, and brings its schema up to date.
    pub async fn target(file: &Path) -> Result<Self, OpenError> {
        make_folder(file)?;
        let lock = own(file)?;
        let opened = async {
            let mut connection = connect_options(file).create_if_missing(true).connect().await?;
            check_schema(&mut connection, file).await?;
            refuse_unfit(&mut connection).await?;
            migrate(&mut connection).await?;
            check_writable(&mut connection).await?;
            read_or_make_secret(&mut connection).await?;
            Ok(connection)
        };
        Self::of(opened.await, file, lock)
    }

    fn of(opened: Result<SqliteConnection, OpenFailure>, file: &Path, lock: OwnerLock) -> Result<Self, OpenError> {
        let database_file =
            DatabaseFile::open(file.to_owned()).map_err(|error| OpenFailure::Sqlx(sqlx::Error::Io(error)));
        let opened = opened.and_then(|connection| Ok((connection, database_file?)));
        let (connection, database_file) = opened.map_err(|failure| failure.with_file(file.to_owned()))?;
        Ok(Self { connection: Mutex::new(connection), database_file, file: file.to_owned(), _lock: lock })
    }
}

#[async_trait]
impl Source for SqliteCopy {
    fn name(&self) -> String {
        location(&self.file)
    }

    async fn metadata(&self) -> Result<Metadata> {
        self.database_file.check()?;
        read::metadata(&mut *self.connection.lock().await).await
    }

    async fn count(&self, table: Table) -> Result<u64> {
        self.database_file.check()?;
        read::count(&mut *self.connection.lock().await, table).await
    }

    async fn read(&self, table: Table, after: &Cursor, limit: u32) -> Result<Records> {
        self.database_file.check()?;
        let mut connection = self.connection.lock().await;
        Ok(match table {
            Table::Accounts => Records::Accounts(read::accounts(&mut connection, after.number(), limit).await?),
            Table::Audit => Records::Audit(read::audit(&mut connection, after.number(), limit).await?),
            Table::Log => Records::Log(rows_after(&mut connection, after.number(), limit).await?),
            Table::Jobs => Records::Jobs(read::jobs(&mut connection, after.number(), limit).await?),
            Table::Missing => Records::Missing(read::missing(&mut connection, &after.0, limit).await?),
        })
    }
}

#[async_trait]
impl Target for SqliteCopy {
    async fn begin(&self, source: &SourceIdentity, metadata: &Metadata) -> Result<BeginOutcome> {
        self.database_file.check_for_writing()?;
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
        let outcome = begin::begin(source, metadata, &mut Transaction::new(&mut transaction)).await?;
        transaction.commit().await.map_err(store_error)?;
        Ok(outcome)
    }

    async fn write(&self, records: Records, progress: &Progress) -> Result<()> {
        self.database_file.check_for_writing()?;
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
        write::write(records, progress, Transaction::new(&mut transaction)).await?;
        transaction.commit().await.map_err(store_error)
    }

    async fn finish(&self) -> Result<()> {
        self.database_file.check_for_writing()?;
        let mut connection = self.connection.lock().await;
        sqlx::query!("update copy set finished = 1 where id = 1")
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        // Afterwards the file is complete without its write-ahead log.
        sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut *connection).await.map_err(store_error)?;
        Ok(())
    }

    fn how_to_empty(&self) -> String {
        "name a file that does not exist yet, or move this one away".to_owned()
    }
}
