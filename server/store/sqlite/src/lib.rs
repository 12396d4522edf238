//! The store in an embedded SQLite file. Writes share commits on one connection (see `writer`). Reads use a pool of
//! read-only connections.

mod accounts;
mod audit;
mod bulk;
mod connect;
mod connections;
mod copy;
mod database_file;
mod error;
mod job_admin;
mod job_queue;
mod ledger;
mod log_rows;
mod open_error;
mod pool_probe;
mod search_log;
mod surroundings;
mod transaction;
mod triggers;
mod workers;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use api::{PoolState, TimeMs};
use async_trait::async_trait;
use sqlx::ConnectOptions;
use store::{Description, Notifier, Result, Store};

use crate::connect::{
    check_schema, check_writable, connect_options, known_version, make_folder, migrate, own, read_or_make_secret,
    refuse_unfinished_copy,
};
use crate::connections::Connections;
pub use crate::copy::SqliteCopy;
use crate::database_file::{DatabaseFile, with_ending};
use crate::error::store_error;
use crate::job_queue::{Add, FinishAttempts};
pub use crate::log_rows::LogFile;
pub use crate::open_error::OpenError;
use crate::open_error::OpenFailure;
use crate::search_log::Records;
pub use crate::surroundings::risks;
use crate::surroundings::{refuse_unfit, set_checkpoint};
pub use crate::triggers::foreign_triggers;
use crate::writer::{Committer, Group, Pending, Ping, Writer, Writes};

/// A database in a file.
pub struct SqliteStore {
    connections: Connections,
    writer: Writer<Command>,
    notifier: Arc<Notifier>,
    secret: [u8; 32],
    identity: String,
    file: PathBuf,
}

/// Where the database is, and how it is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database's file. It and its folder are created if they are missing.
    pub file: PathBuf,
    /// How many connections read at the same time.
    pub readers: u32,
    pub access: Access,
}

/// Whether other processes may own the database at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Exclusive: for processes that run jobs, or decide what happens to running ones.
    Owner,
    /// Shared with an owner, if there is one: for commands that touch no jobs.
    Guest,
}

impl SqliteStore {
    /// Locks the file for an owner, opens the database, and brings its schema up to date.
    pub async fn open(Options { file, readers, access }: Options) -> Result<Self, OpenError> {
        make_folder(&file)?;
        let is_new = !file.exists();
        let lock = match access {
            Access::Owner => Some(own(&file)?),
            // Creating the database needs exclusive access.
            Access::Guest if is_new => Some(own(&file)?),
            Access::Guest => None,
        };
        let opened = async {
            let mut options = connect_options(&file);
            let mut connection = options.clone().create_if_missing(true).connect().await?;
            let version = check_schema(&mut connection, &file).await?;
            refuse_unfit(&mut connection).await?;
            let checkpoint = set_checkpoint(&mut connection).await?;
            options = options.pragma("wal_autocheckpoint", checkpoint.to_string());
            if lock.is_some() {
                migrate(&mut connection).await?;
                check_writable(&mut connection).await?;
            } else if version == 0 {
                return Err(OpenFailure::Empty);
            } else if version < known_version() {
                return Err(OpenFailure::OlderSchema { version, known: known_version() });
            }
            refuse_unfinished_copy(&mut connection).await?;
            let secret = read_or_make_secret(&mut connection).await?;
            let database_file = DatabaseFile::open(file.clone()).map_err(sqlx::Error::Io)?;
            if let Some(lock) = &lock {
                lock.check(&database_file).map_err(OpenFailure::Replaced)?;
                if access == Access::Guest {
                    lock.release().map_err(sqlx::Error::Io)?;
                }
            }
            Ok((options, connection, secret, database_file))
        };
        let (options, connection, secret, database_file) =
            opened.await.map_err(|failure: OpenFailure| failure.with_file(file.clone()))?;
        let (notifier, identity) = (Arc::new(Notifier::default()), database_file.lasting_identity());
        let connections = Connections::open(options.clone(), readers, database_file.clone());
        let committer = Committer::new(options, database_file, connection, Arc::clone(&notifier), lock);
        Ok(Self { connections, writer: Writer::start(committer), notifier, secret, identity, file })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.file).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<()> {
        self.connections.ping().await?;
        self.writer.write(Ping).await
    }

    async fn secret(&self) -> Result<[u8; 32]> {
        Ok(self.secret)
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    async fn describe(&self) -> Result<Description> {
        let version = sqlx::query_scalar::<_, String>("select sqlite_version()")
            .fetch_one(&mut *self.connections.get().await?)
            .await
            .map_err(store_error)?;
        let size_bytes = ["", "-wal"]
            .map(|ending| std::fs::metadata(with_ending(&self.file, ending)).map_or(0, |metadata| metadata.len()));
        Ok(Description {
            engine: format!("SQLite {version}"),
            schema: known_version(),
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
        self.connections.state()
    }

    async fn close(&self) {
        let writer = self.writer.close().await;
        self.connections.close().await;
        if let Some(writer) = writer {
            writer.close().await;
        }
    }
}

/// The writer's commands. Three kinds are frequent: a batch writes all commands of such a kind with one statement.
enum Command {
    Record(Pending<Records>),
    Finish(Pending<FinishAttempts>),
    Add(Pending<Add>),
    Other(Box<dyn Group>),
}

impl From<Pending<Records>> for Command {
    fn from(record: Pending<Records>) -> Self {
        Self::Record(record)
    }
}

impl From<Pending<FinishAttempts>> for Command {
    fn from(finish: Pending<FinishAttempts>) -> Self {
        Self::Finish(finish)
    }
}

impl From<Pending<Add>> for Command {
    fn from(add: Pending<Add>) -> Self {
        Self::Add(add)
    }
}

impl From<Box<dyn Group>> for Command {
    fn from(other: Box<dyn Group>) -> Self {
        Self::Other(other)
    }
}

impl writer::Command for Command {
    fn is_awaited(&self) -> bool {
        match self {
            Self::Record(record) => record.is_awaited(),
            Self::Finish(finish) => finish.is_awaited(),
            Self::Add(add) => add.is_awaited(),
            Self::Other(group) => group.is_awaited(),
        }
    }

    fn group(commands: impl Iterator<Item = Self>) -> Vec<Box<dyn Group>> {
        let (mut records, mut finished, mut added) = (Writes::default(), Writes::default(), Writes::default());
        let mut others = Vec::new();
        for command in commands {
            match command {
                Self::Record(record) => records.push(record),
                Self::Finish(finish) => finished.push(finish),
                Self::Add(add) => added.push(add),
                Self::Other(group) => others.push(group),
            }
        }
        // The others, which include claims, come last, so that claims find the jobs that the batch adds.
        let mut groups: Vec<Box<dyn Group>> = vec![Box::new(records), Box::new(finished), Box::new(added)];
        groups.append(&mut others);
        groups
    }
}
