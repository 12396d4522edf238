//! The connections that read: bounded in number, and unable to write.

use std::sync::Arc;
use std::time::Duration;

use api::PoolState;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};
use store::{Result, StoreError, Wait, Waits};

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

impl Readers {
    pub(crate) fn open(options: SqliteConnectOptions, count: u32, place: Place) -> Self {
        Self::with_patience(options, count, place, ACQUIRE_TIMEOUT)
    }

    fn with_patience(options: SqliteConnectOptions, count: u32, place: Place, patience: Duration) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(patience)
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
                "all {} connections were in use for {:?}",
                self.pool.options().get_max_connections(),
                self.pool.options().get_acquire_timeout()
            )),
            error => store_error(error),
        })
    }

    pub(crate) fn state(&self) -> PoolState {
        let max = self.pool.options().get_max_connections();
        self.waits.pool_state(self.pool.size(), self.pool.num_idle(), max)
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

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions, Connection};
    use tempfile::TempDir;

    use super::*;

    async fn two_readers(folder: &TempDir, patience: Duration) -> Readers {
        let file = folder.path().join("any.db");
        let options = SqliteConnectOptions::new().filename(&file);
        let made = options.clone().create_if_missing(true).connect().await.expect("made");
        made.close().await.expect("closed");
        Readers::with_patience(options, 2, Place::of(file).expect("there"), patience)
    }

    #[tokio::test]
    async fn who_finds_all_connections_in_use_waits_and_is_then_told_so() {
        let folder = TempDir::new().expect("a folder");
        let readers = two_readers(&folder, Duration::from_millis(50)).await;
        let held = [readers.get().await.expect("one"), readers.get().await.expect("another")];
        assert_eq!(readers.state().waits, 0, "nobody had to wait yet");
        let Err(StoreError::Connection(why)) = readers.get().await else { panic!("there is no third") };
        assert_eq!(why, "all 2 connections were in use for 50ms");
        let state = readers.state();
        assert_eq!((state.in_use, state.idle, state.max, state.waiting, state.waits), (2, 0, 2, 0, 1));
        assert!(state.longest_wait_ms >= 50, "{state:?}");
        drop(held);
        readers.get().await.expect("they are back");
    }

    #[tokio::test]
    async fn who_waits_is_served_as_soon_as_one_is_given_back() {
        let folder = TempDir::new().expect("a folder");
        let readers = two_readers(&folder, Duration::from_secs(600)).await;
        let held = [readers.get().await.expect("one"), readers.get().await.expect("another")];
        let (served, ()) = tokio::join!(readers.get(), async {
            assert_eq!(readers.state().waiting, 1);
            drop(held);
        });
        served.expect("served");
        assert_eq!((readers.state().waiting, readers.state().waits), (0, 1));
    }
}
