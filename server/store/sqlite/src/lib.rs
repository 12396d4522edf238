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

/// A database in a file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    waker: Arc<Waker>,
    secret: [u8; 32],
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

    async fn close(&self) {
        let writer = self.writer.close().await;
        self.readers.close().await;
        if let Some(writer) = writer {
            writer.close().await;
        }
    }
}
