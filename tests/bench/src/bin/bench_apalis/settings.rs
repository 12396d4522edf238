//! The two ways in which the storages are used.

use std::time::Duration;

use anyhow::bail;
use apalis_sqlite::SqliteStorage;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

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
