//! The store in an embedded SQLite file. Writes go through one connection in shared commits
//! (see `writer`), reads through a pool of connections that cannot write.

mod accounts;
mod error;
mod exercise;
mod inserted;
mod lock;
mod log;
mod log_file;
mod open;
mod place;
mod queue;
mod reader;
mod texts;
mod transfer;
mod workers;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use api::{PoolState, TimeMs};
use async_trait::async_trait;
use store::{Description, Exercise, Notifier, Result, Store};

use crate::error::store_error;
pub use crate::log_file::LogFile;
pub use crate::open::OpenError;
use crate::reader::Readers;
pub use crate::transfer::SqliteTransfer;
use crate::writer::{Ping, Writer};

/// A database in a file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    waker: Arc<Notifier>,
    secret: [u8; 32],
    file: PathBuf,
}

/// Where the database is, and how it is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database's file. It is made where it is missing, and so is its folder.
    pub file: PathBuf,
    /// How many connections read at the same time.
    pub readers: u32,
    pub access: Access,
}

/// Whether other processes may own the database at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody else may: for whoever runs jobs, or decides what becomes of those that are running.
    Owner,
    /// Beside an owner, or without one: for commands that touch no jobs.
    Guest,
}

impl SqliteStore {
    /// Takes the file's lock where it is to be owned, opens the database, and brings its schema
    /// up to date.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        open::open(options).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<()> {
        reader::ping(&self.readers).await?;
        self.writer.ask(Ping).await
    }

    async fn secret(&self) -> Result<[u8; 32]> {
        Ok(self.secret)
    }

    async fn describe(&self) -> Result<Description> {
        let version = sqlx::query_scalar::<_, String>("select sqlite_version()")
            .fetch_one(&mut *self.readers.get().await?)
            .await
            .map_err(store_error)?;
        let size_bytes = ["", "-wal"].map(|ending| {
            let mut file = self.file.clone().into_os_string();
            file.push(ending);
            std::fs::metadata(file).map_or(0, |metadata| metadata.len())
        });
        Ok(Description {
            engine: format!("SQLite {version}"),
            schema: open::known_version(),
            size_bytes: size_bytes.iter().sum(),
        })
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn time(&self) -> Result<Option<TimeMs>> {
        Ok(None)
    }

    fn pool(&self) -> PoolState {
        self.readers.state()
    }

    async fn exercise(&self, exercise: Exercise) -> Result<()> {
        exercise::exercise(&self.readers, exercise).await
    }

    async fn close(&self) {
        let writer = self.writer.close().await;
        self.readers.close().await;
        if let Some(writer) = writer {
            writer.close().await;
        }
    }
}
