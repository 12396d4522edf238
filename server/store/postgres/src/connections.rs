//! The connections to the server: a bounded pool, in which a connection is borrowed for one statement.
//!
//! Behind a transaction pooler each transaction may run on another connection of the server, but sqlx prepares a
//! statement in one transaction and runs it in the next. So there each statement is a transaction of its own, in which
//! it is prepared, run and deallocated. That costs three more round trips.

use std::future::Future;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use api::PoolState;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Execute, Executor, PgConnection, PgPool, Postgres};
use store::{Result, StoreError, Wait, Waits};
use tokio::runtime::Handle;

use crate::error::store_error;
use crate::fetch::Fetch;
use crate::session::{BEGIN, Session, Use};

/// How long to wait for a connection before the database counts as unreachable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement may take. A cut network does not close the connection.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that was idle for longer is tested before use: the server may have been restarted.
const TEST_AFTER: Duration = Duration::from_secs(1);
/// How long a connection may take to answer such a test. Below [`ACQUIRE_TIMEOUT`], so that a new one is opened in time.
const TEST_TIMEOUT: Duration = Duration::from_secs(2);
/// How long all connections together may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the connections connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionMode {
    /// The server itself.
    Direct,
    /// A pooler that assigns a connection of the server to each transaction.
    Pooled,
}

#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: PgPool,
    mode: ConnectionMode,
    /// Begins a transaction of several statements.
    begin: Arc<str>,
    waits: Arc<Waits>,
}

impl Connections {
    pub(crate) fn open(options: PgConnectOptions, count: u32, mode: ConnectionMode, session: Session) -> Self {
        let begin = match mode {
            ConnectionMode::Direct => BEGIN.to_owned(),
            ConnectionMode::Pooled => session.begin_pooled(),
        };
        let options = match mode {
            ConnectionMode::Direct => options,
            // A prepared statement lives only until the end of its transaction.
            ConnectionMode::Pooled => options.statement_cache_capacity(0),
        };
        let pool = PgPoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move {
                    match mode {
                        ConnectionMode::Direct => session.set(connection, Use::Statements).await,
                        // A setting would last only for the transaction.
                        ConnectionMode::Pooled => Ok(()),
                    }
                })
            })
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for > TEST_AFTER {
                        // On an error the pool closes the connection without waiting for its other end.
                        within(TEST_TIMEOUT, connection.ping()).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool, mode, begin: begin.into(), waits: Arc::default() }
    }

    /// A connection for one statement. Waits while all are in use, up to a limit.
    pub(crate) async fn get(&self) -> Result<Borrowed> {
        let max = self.pool.options().get_max_connections();
        let is_used_up = self.pool.num_idle() == 0 && self.pool.size() >= max;
        let wait = is_used_up.then(|| Wait::begin(&self.waits));
        let connection = self.pool.acquire().await;
        drop(wait);
        let connection = connection.map_err(|error| match error {
            // The pool reports a server that does not answer in the same way as a pool with all connections in use.
            sqlx::Error::PoolTimedOut if self.pool.size() >= max => {
                StoreError::Connection(format!("all {max} connections were in use for {ACQUIRE_TIMEOUT:?}"))
            }
            sqlx::Error::PoolTimedOut => StoreError::Connection(format!(
                "the PostgreSQL server has accepted no connection for {ACQUIRE_TIMEOUT:?}: it does not answer, or has too many clients"
            )),
            error => store_error(error),
        })?;
        let mut borrowed = Borrowed {
            connection: Some(connection),
            mode: self.mode,
            begin: self.begin.clone(),
            is_in_transaction: false,
            is_awaited: false,
        };
        if self.mode == ConnectionMode::Pooled {
            in_time(borrowed.begin()).await.map_err(store_error)?;
        }
        Ok(borrowed)
    }

    pub(crate) async fn fetch_one<Q: Fetch>(&self, query: Q) -> Result<Q::Row> {
        let mut connection = self.get().await?;
        let row = in_time(query.one(&mut connection)).await;
        connection.settle(row).await
    }

    pub(crate) async fn fetch_optional<Q: Fetch>(&self, query: Q) -> Result<Option<Q::Row>> {
        let mut connection = self.get().await?;
        let row = in_time(query.optional(&mut connection)).await;
        connection.settle(row).await
    }

    pub(crate) async fn fetch_all<Q: Fetch>(&self, query: Q) -> Result<Vec<Q::Row>> {
        let mut connection = self.get().await?;
        let rows = in_time(query.all(&mut connection)).await;
        connection.settle(rows).await
    }

    /// Returns how many rows were affected.
    pub(crate) async fn execute<'q>(&self, query: impl Execute<'q, Postgres> + 'q) -> Result<u64> {
        let mut connection = self.get().await?;
        let done = in_time((&mut *connection).execute(query)).await;
        connection.settle(done).await.map(|done| done.rows_affected())
    }

    pub(crate) fn state(&self) -> PoolState {
        let max = self.pool.options().get_max_connections();
        self.waits.pool_state(self.pool.size(), self.pool.num_idle(), max)
    }

    /// Closes all connections. What does not answer in time ends with the process.
    pub(crate) async fn close(&self) {
        if tokio::time::timeout(CLOSE_TIMEOUT, self.pool.close()).await.is_err() {
            tracing::warn!("some connections to PostgreSQL could not be closed: they did not answer");
        }
    }
}

/// A borrowed connection. Dropping it returns it to the pool, or closes it if an answer is outstanding or a transaction
/// is open: the next borrower would receive that answer.
pub(crate) struct Borrowed {
    connection: Option<PoolConnection<Postgres>>,
    mode: ConnectionMode,
    begin: Arc<str>,
    is_in_transaction: bool,
    is_awaited: bool,
}

impl Borrowed {
    /// Makes all statements until `settle` one transaction.
    pub(crate) async fn begin(&mut self) -> sqlx::Result<()> {
        if !self.is_in_transaction {
            let begin = AssertSqlSafe(self.begin.to_string());
            sqlx::raw_sql(begin).execute(&mut **self).await?;
            self.is_in_transaction = true;
        }
        Ok(())
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        let end = match self.mode {
            ConnectionMode::Direct => "commit",
            ConnectionMode::Pooled => "deallocate all; commit",
        };
        sqlx::raw_sql(end).execute(&mut **self).await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Ends the transaction if there is one, and returns the connection unless it is broken.
    pub(crate) async fn settle<A>(mut self, outcome: sqlx::Result<A>) -> Result<A> {
        self.settle_and_keep(outcome).await
    }

    /// Like [`Self::settle`], but keeps the connection.
    pub(crate) async fn settle_and_keep<A>(&mut self, outcome: sqlx::Result<A>) -> Result<A> {
        let outcome = match outcome {
            outcome if !self.is_in_transaction => outcome,
            Ok(answer) => in_time(self.end()).await.map(|()| answer),
            // Closed in an open transaction, so that a pooler does not reuse the server's connection.
            Err(error) => return Err(store_error(error)),
        };
        let is_usable = match &outcome {
            Ok(_) => true,
            // The server has answered. With class 57 it has also closed the connection, or is about to.
            Err(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code == "57014" || !code.starts_with("57"))
            }
            Err(sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => true,
            Err(_) => false,
        };
        self.is_awaited = !is_usable;
        outcome.map_err(store_error)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.is_awaited || self.is_in_transaction {
            drop(connection.detach());
        } else if let Ok(runtime) = Handle::try_current() {
            // The pool tests the connection and would wait for ever for the answer. Stopped, it closes the connection.
            let returned = connection.return_to_pool();
            runtime.spawn(async move { drop(tokio::time::timeout(TEST_TIMEOUT, returned).await) });
        }
    }
}

impl Deref for Borrowed {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("taken only on drop")
    }
}

impl DerefMut for Borrowed {
    /// A mutable borrow means that a statement is about to run.
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.is_awaited = true;
        self.connection.as_mut().expect("taken only on drop")
    }
}

/// Fails if the statement does not answer in time.
pub(crate) async fn in_time<A>(statement: impl Future<Output = sqlx::Result<A>>) -> sqlx::Result<A> {
    within(STATEMENT_TIMEOUT, statement).await
}

async fn within<A>(limit: Duration, statement: impl Future<Output = sqlx::Result<A>>) -> sqlx::Result<A> {
    tokio::time::timeout(limit, statement).await.unwrap_or_else(|_| {
        let why = format!("it has not answered for {limit:?}");
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}
