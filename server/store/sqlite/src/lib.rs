//! The store in an embedded SQLite file. Writes go through one connection in shared commits
//! (see `writer`), reads through a pool of connections that cannot write.

mod accounts;
mod error;
mod lock;
mod log;
mod open;
mod queue;
mod reader;
mod texts;
mod words;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqlitePool;
use store::{Result, Store, Waker};

pub use crate::open::OpenError;
use crate::writer::{Ping, Writer};

/// A database in a folder of its own, which this process alone uses.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    waker: Arc<Waker>,
    secret: [u8; 32],
}

/// Where the database is, and how much of it is used at once.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder; it is made where it is missing. The file is `search4letters.db` in it.
    pub folder: PathBuf,
    /// How many connections read at the same time.
    pub readers: u32,
}

impl SqliteStore {
    /// Takes the folder's lock, opens the database, and brings its schema up to date.
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

    async fn close(&self) {
        let writer = self.writer.close().await;
        self.readers.close().await;
        if let Some(writer) = writer {
            writer.close().await;
        }
    }
}
