//! A database with the log alone, as an export for people.

use std::path::Path;

use api::LogRow;
use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{LogSink, Result};

use crate::error::store_error;
use crate::log_rows::insert_rows;

/// The table as it was first made: an export needs none of what was added beside it.
const TABLE: &str = include_str!("../../../../migrations/sqlite/0002_log.sql");

/// A new file that is being filled.
#[derive(Debug)]
pub struct LogFile {
    connection: SqliteConnection,
}

impl LogFile {
    /// Makes `file`, which must not exist yet.
    pub async fn create(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            // Nothing reads it before it is whole, and half of it is discarded: it needs no protection meanwhile.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(store_error)?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await.map_err(store_error)?;
        Ok(Self { connection })
    }

    /// Afterwards all rows are in the file, though perhaps not on the disk.
    pub async fn close(self) -> Result<()> {
        self.connection.close().await.map_err(store_error)
    }
}

#[async_trait]
impl LogSink for LogFile {
    async fn put(&mut self, rows: &[LogRow]) -> Result<()> {
        insert_rows(rows, &mut self.connection).await
    }
}
