//! Apalis with its own storages, as a peer.
//!
//! `bench-apalis serve default|best PORT FILE` answers searches whose records are its jobs. `bench-apalis drain
//! sqlite|postgres default|best DATABASE JOBS` adds jobs, prints `pushed`, runs them, prints `drained`, and then waits
//! until it is killed.

mod accept;
mod drain;
mod log;

use std::time::Duration;

use anyhow::{Context, bail};
use apalis::prelude::{BackendExt, BoxDynError, Data, WorkerBuilder, WorkerBuilderExt};
use apalis_sqlite::SqliteStorage;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::log::{LogRequest, LogWriter};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", settings, port, file] => accept::serve(Settings::read(settings)?, port.parse()?, file).await,
        ["drain", "sqlite", settings, file, jobs] => {
            drain::sqlite(Settings::read(settings)?, file, jobs.parse().context("that is no number of jobs")?).await
        }
        ["drain", "postgres", settings, url, jobs] => {
            drain::postgres(Settings::read(settings)?, url, jobs.parse().context("that is no number of jobs")?).await
        }
        _ => bail!("say serve or drain"),
    }
}

/// The fastest of the batch sizes tried.
pub(crate) const BATCH: usize = 1000;
/// How often `Best` polls an empty queue. A poll that takes longer than this can be the last one for 30 s, because
/// nothing wakes the worker then; this happened with 1 ms.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// The settings of the documentation's first example.
    Default,
    /// The fastest settings that lose no acknowledged job: fsync, large batches, grouped writes.
    Best,
}

impl Settings {
    pub(crate) fn read(word: &str) -> anyhow::Result<Self> {
        match word {
            "default" => Ok(Self::Default),
            "best" => Ok(Self::Best),
            _ => bail!("there is no {word}; there are default and best"),
        }
    }

    /// How many jobs run at a time.
    pub(crate) fn concurrency(self) -> usize {
        match self {
            Self::Default => 1,
            Self::Best => BATCH,
        }
    }

    /// A database with the storage's tables.
    pub(crate) async fn open_sqlite(self, file: &str) -> anyhow::Result<SqlitePool> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        match self {
            Self::Default => {
                let pool = SqlitePoolOptions::new().connect_with(options).await?;
                SqliteStorage::setup(&pool).await?;
                Ok(pool)
            }
            Self::Best => {
                let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
                let pool = SqlitePoolOptions::new().connect_with(options.pragma("cache_size", "64000")).await?;
                SqliteStorage::migrations().run(&pool).await?;
                // With this index, SQLite acknowledges a job by scanning all jobs that the worker has ever taken, and
                // runs 20,000 jobs at 80 a second.
                sqlx::query("drop index LIdx").execute(&pool).await?;
                Ok(pool)
            }
        }
    }
}

/// The queue's name.
pub(crate) const QUEUE: &str = "log_request";

pub(crate) async fn log_request(request: LogRequest, log: Data<LogWriter>) -> Result<(), BoxDynError> {
    log.write(request).await.map_err(Into::into)
}

pub(crate) fn sqlite_storage(settings: Settings, pool: &SqlitePool) -> SqliteStorage<LogRequest> {
    let config = apalis_sqlite::Config::default().queue(QUEUE);
    let storage = SqliteStorage::new(pool);
    match settings {
        Settings::Default => storage.with_config(config),
        // Results must be kept: without them no job is ever done, and all run again after a restart.
        Settings::Best => storage.with_config(config.batch_size(BATCH).lock_tasks(false)),
    }
}

/// Runs until it fails.
pub(crate) async fn run_sqlite(settings: Settings, pool: SqlitePool, log: LogWriter) -> anyhow::Result<()> {
    let storage = sqlite_storage(settings, &pool);
    let worker = WorkerBuilder::new("bench");
    match settings {
        Settings::Default => worker.backend(storage).data(log).build(log_request).run().await?,
        Settings::Best => {
            let storage = storage.poll_with_interval(INTERVAL);
            worker.backend(storage).data(log).concurrency(settings.concurrency()).build(log_request).run().await?;
        }
    }
    Ok(())
}
