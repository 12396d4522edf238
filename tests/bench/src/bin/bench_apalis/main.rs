//! The stock storages of apalis, as peers.
//!
//! `bench-apalis serve default|best PORT FILE` answers searches whose records are its jobs.
//! `bench-apalis drain sqlite|postgres default|best DATABASE JOBS` adds jobs, says `pushed`, runs them, says `drained`,
//! and then waits for its end.

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

/// Batches of this size were the fastest of those tried.
pub(crate) const BATCH: usize = 1000;
/// How often the best one looks for jobs where it has found none. A look that takes longer than this can be its last one
/// for 30 s, because nothing wakes it then: 1 ms was tried.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// As the documentation's first example has it.
    Default,
    /// The fastest that keeps what it has acknowledged: fsynced, large batches, writes in groups.
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
                // By this index SQLite acknowledges jobs by looking at all that the worker has ever taken: with it,
                // 20,000 jobs are run at 80 a second.
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
        // Results must be kept: without them no job is ever done, and all are run again after a restart.
        Settings::Best => storage.with_config(config.batch_size(BATCH).lock_tasks(false)),
    }
}

/// Runs until it breaks down.
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
