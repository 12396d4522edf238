//! The connections that read: bounded in number, and unable to write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use api::PoolState;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};
use store::{Result, StoreError};
use tokio::time::Instant;

use crate::error::store_error;
use crate::place::Place;

/// Who waits this long for a connection is told that the database does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(crate) struct Readers {
    pool: SqlitePool,
    place: Place,
    waits: Arc<Waits>,
}

/// Who waits for a connection, and who has.
#[derive(Debug, Default)]
struct Waits {
    now: AtomicU32,
    ever: AtomicU64,
    longest_ms: AtomicU64,
}

impl Readers {
    pub(crate) fn open(options: SqliteConnectOptions, count: u32, place: Place) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A local file cannot lose its connection; the test would double the cost of a small read.
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on"));
        Self { pool, place, waits: Arc::default() }
    }

    /// A connection for one statement. Waits while all are in use, up to a limit.
    pub(crate) async fn get(&self) -> Result<PoolConnection<Sqlite>> {
        self.place.check()?;
        if let Some(connection) = self.pool.try_acquire() {
            return Ok(connection);
        }
        let may_open = self.pool.size() < self.pool.options().get_max_connections();
        let wait = (!may_open).then(|| Wait::begin(&self.waits));
        let connection = self.pool.acquire().await;
        drop(wait);
        connection.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => StoreError::Connection(format!(
                "all {} connections were in use for {} s",
                self.pool.options().get_max_connections(),
                ACQUIRE_TIMEOUT.as_secs()
            )),
            error => store_error(error),
        })
    }

    pub(crate) fn state(&self) -> PoolState {
        let (size, idle) = (self.pool.size(), u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX));
        PoolState {
            in_use: size.saturating_sub(idle),
            idle,
            max: self.pool.options().get_max_connections(),
            waiting: self.waits.now.load(Ordering::Relaxed),
            waits: self.waits.ever.load(Ordering::Relaxed),
            longest_wait_ms: self.waits.longest_ms.load(Ordering::Relaxed),
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Reads the ends of the tables on the way of a search: what does not answer there will not answer a worker.
pub(crate) async fn ping(readers: &Readers) -> Result<()> {
    let read = sqlx::query_scalar!(
        r#"select exists (select 1 from job_count)
                  + exists (select 1 from (select 1 from job order by id desc limit 1))
                  + exists (select 1 from job indexed by job_due where state in ('scheduled', 'retrying'))
                  + exists (select 1 from (select 1 from log order by id desc limit 1)) as "there!: i64""#
    )
    .fetch_one(&mut *readers.get().await?)
    .await
    .map_err(store_error);
    read.inspect_err(|error| readers.place.note(error)).map(drop)
}

/// Counted while it lasts, also where the waiting is given up.
struct Wait<'a> {
    waits: &'a Waits,
    began: Instant,
}

impl<'a> Wait<'a> {
    fn begin(waits: &'a Waits) -> Self {
        // Figures for people: nothing is decided by them, so no order of memory matters.
        waits.now.fetch_add(1, Ordering::Relaxed);
        waits.ever.fetch_add(1, Ordering::Relaxed);
        Self { waits, began: Instant::now() }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let waited_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waits.now.fetch_sub(1, Ordering::Relaxed);
        self.waits.longest_ms.fetch_max(waited_ms, Ordering::Relaxed);
    }
}
