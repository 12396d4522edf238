//! A bounded pool of read-only connections.

use std::sync::Arc;
use std::time::Duration;

use api::PoolState;
use sqlx::pool::PoolConnection;
use sqlx::query::{Map, QueryScalar};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, IntoArguments, Sqlite, SqliteConnection, SqlitePool};
use store::{Result, StoreError, Wait, Waits};

use crate::database_file::DatabaseFile;
use crate::error::store_error;

/// How long to wait for a connection before the database counts as unreachable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Connections {
    pool: SqlitePool,
    file: DatabaseFile,
    waits: Arc<Waits>,
}

impl Connections {
    pub(crate) fn open(options: SqliteConnectOptions, count: u32, file: DatabaseFile) -> Self {
        Self::with_timeout(options, count, file, ACQUIRE_TIMEOUT)
    }

    fn with_timeout(options: SqliteConnectOptions, count: u32, file: DatabaseFile, timeout: Duration) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(timeout)
            // The connection to a local file cannot break, and the test would double the cost of a small read.
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on"));
        Self { pool, file, waits: Arc::default() }
    }

    /// A connection for one statement. Waits while all are in use, up to a limit.
    pub(crate) async fn get(&self) -> Result<PoolConnection<Sqlite>> {
        self.file.check()?;
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

    pub(crate) async fn fetch_one<Q: Fetch>(&self, query: Q) -> Result<Q::Row> {
        query.one(&mut *self.get().await?).await.map_err(store_error)
    }

    pub(crate) async fn fetch_optional<Q: Fetch>(&self, query: Q) -> Result<Option<Q::Row>> {
        query.optional(&mut *self.get().await?).await.map_err(store_error)
    }

    pub(crate) async fn fetch_all<Q: Fetch>(&self, query: Q) -> Result<Vec<Q::Row>> {
        query.all(&mut *self.get().await?).await.map_err(store_error)
    }

    /// Reads the ends of the tables that every search uses: if this works, a worker can read too.
    pub(crate) async fn ping(&self) -> Result<()> {
        let read = self.fetch_one(sqlx::query_scalar!(
            r#"select exists (select 1 from job_count)
                      + exists (select 1 from (select 1 from job order by id desc limit 1))
                      + exists (select 1 from job indexed by job_due where state in ('scheduled', 'retrying'))
                      + exists (select 1 from (select 1 from log order by id desc limit 1)) as "found!: i64""#
        ));
        read.await.inspect_err(|error| self.file.note(error)).map(drop)
    }

    pub(crate) fn state(&self) -> PoolState {
        let max = self.pool.options().get_max_connections();
        self.waits.pool_state(self.pool.size(), self.pool.num_idle(), max)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A statement that yields rows, as sqlx's macros make it: `query!`, `query_as!` or `query_scalar!`.
pub(crate) trait Fetch: Send + Sized {
    type Row: Send;

    fn one(self, connection: &mut SqliteConnection) -> impl Future<Output = sqlx::Result<Self::Row>> + Send;

    fn optional(
        self,
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = sqlx::Result<Option<Self::Row>>> + Send;

    fn all(self, connection: &mut SqliteConnection) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send;
}

impl<'q, F, O, A> Fetch for Map<'q, Sqlite, F, A>
where
    F: FnMut(SqliteRow) -> sqlx::Result<O> + Send,
    O: Send + Unpin,
    A: 'q + Send + IntoArguments<Sqlite>,
{
    type Row = O;

    async fn one(self, connection: &mut SqliteConnection) -> sqlx::Result<O> {
        self.fetch_one(connection).await
    }

    async fn optional(self, connection: &mut SqliteConnection) -> sqlx::Result<Option<O>> {
        self.fetch_optional(connection).await
    }

    async fn all(self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<O>> {
        self.fetch_all(connection).await
    }
}

impl<'q, O, A> Fetch for QueryScalar<'q, Sqlite, O, A>
where
    O: Send + Unpin,
    A: 'q + Send + IntoArguments<Sqlite>,
    (O,): for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    type Row = O;

    async fn one(self, connection: &mut SqliteConnection) -> sqlx::Result<O> {
        self.fetch_one(connection).await
    }

    async fn optional(self, connection: &mut SqliteConnection) -> sqlx::Result<Option<O>> {
        self.fetch_optional(connection).await
    }

    async fn all(self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<O>> {
        self.fetch_all(connection).await
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions, Connection};
    use tempfile::TempDir;

    use super::*;

    async fn two_connections(folder: &TempDir, timeout: Duration) -> Connections {
        let file = folder.path().join("any.db");
        let options = SqliteConnectOptions::new().filename(&file);
        let made = options.clone().create_if_missing(true).connect().await.expect("made");
        made.close().await.expect("closed");
        Connections::with_timeout(options, 2, DatabaseFile::open(file).expect("exists"), timeout)
    }

    #[tokio::test]
    async fn a_read_fails_when_all_connections_stay_in_use() {
        let folder = TempDir::new().expect("a folder");
        let connections = two_connections(&folder, Duration::from_millis(50)).await;
        let held = [connections.get().await.expect("one"), connections.get().await.expect("another")];
        assert_eq!(connections.state().waits, 0, "no read had to wait yet");
        let Err(StoreError::Connection(reason)) = connections.get().await else { panic!("a third connection") };
        assert_eq!(reason, "all 2 connections were in use for 50ms");
        let state = connections.state();
        assert_eq!((state.in_use, state.idle, state.max, state.waiting, state.waits), (2, 0, 2, 0, 1));
        assert!(state.longest_wait_ms >= 50, "{state:?}");
        drop(held);
        connections.get().await.expect("they were returned");
    }

    #[tokio::test]
    async fn a_waiting_read_gets_the_first_connection_that_is_returned() {
        let folder = TempDir::new().expect("a folder");
        let connections = two_connections(&folder, Duration::from_secs(600)).await;
        let held = [connections.get().await.expect("one"), connections.get().await.expect("another")];
        let (connection, ()) = tokio::join!(connections.get(), async {
            assert_eq!(connections.state().waiting, 1);
            drop(held);
        });
        connection.expect("returned");
        assert_eq!((connections.state().waiting, connections.state().waits), (0, 1));
    }
}
