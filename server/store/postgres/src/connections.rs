//! The connections to the server: bounded in number, each lent for one statement.
//!
//! Through a transaction pooler each transaction may run on another connection of the server, and sqlx prepares a statement
//! in one and runs it in the next. So there each statement is a transaction: it is prepared, run and forgotten in it,
//! which costs three more ways to the pooler and back.

use std::future::Future;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use api::PoolState;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use store::{Result, StoreError, Wait, Waits};

use crate::error::store_error;

/// Who waits this long for a connection is told that the database does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A statement that takes longer does not answer: the network may be cut, which nobody tells us.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// A connection that has rested for longer is tried before it is lent: the server may have been restarted meanwhile.
const TRIED_AFTER: Duration = Duration::from_secs(1);

/// Begins the transaction of one statement. A process that is frozen in it is cut off, and holds nobody up for long.
const BEGIN: &str = "begin; set local idle_in_transaction_session_timeout = '5s'; set local lock_timeout = '8s'";

/// For a connection to the server itself. A plan that is kept may have been made while the tables were small, and goes
/// on to read the whole of them when they have grown. And a statement that waits for a lock ends before we give it up:
/// the server would not notice that, and keep one connection more with each that waits.
/// None of our statements runs for so long that compiling it would pay.
const SETTINGS: &str = "set plan_cache_mode = force_custom_plan; set jit = off; set lock_timeout = '8s'";

/// What the connections lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The server itself.
    Direct,
    /// A pooler that lends connections of the server for one transaction.
    Pooled,
}

#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: PgPool,
    way: Way,
    waits: Arc<Waits>,
}

impl Connections {
    pub(crate) fn open(options: PgConnectOptions, count: u32, way: Way) -> Self {
        let options = match way {
            Way::Direct => options,
            // None outlives its transaction.
            Way::Pooled => options.statement_cache_capacity(0),
        };
        let pool = PgPoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    match way {
                        Way::Direct => sqlx::raw_sql(SETTINGS).execute(connection).await.map(drop),
                        // Nothing that is set here would be ours for longer than a transaction.
                        Way::Pooled => Ok(()),
                    }
                })
            })
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    let has_rested = metadata.idle_for > TRIED_AFTER;
                    Ok(!has_rested || in_time(connection.ping()).await.is_ok())
                })
            })
            .connect_lazy_with(options);
        Self { pool, way, waits: Arc::default() }
    }

    /// A connection for one statement. Waits while all are in use, up to a limit.
    pub(crate) async fn get(&self) -> Result<Lent> {
        let max = self.pool.options().get_max_connections();
        let is_used_up = self.pool.num_idle() == 0 && self.pool.size() >= max;
        let wait = is_used_up.then(|| Wait::begin(&self.waits));
        let connection = self.pool.acquire().await;
        drop(wait);
        let connection = connection.map_err(|error| match error {
            // A server that does not answer takes as long as one whose connections are all in use.
            sqlx::Error::PoolTimedOut if self.pool.size() >= max => {
                StoreError::Connection(format!("all {max} connections were in use for {ACQUIRE_TIMEOUT:?}"))
            }
            sqlx::Error::PoolTimedOut => StoreError::Connection(format!(
                "the PostgreSQL server has let nobody in for {ACQUIRE_TIMEOUT:?}: it does not answer, or has too many clients"
            )),
            error => store_error(error),
        })?;
        let mut lent =
            Lent { connection: Some(connection), way: self.way, is_in_transaction: false, is_awaited: false };
        if self.way == Way::Pooled {
            in_time(lent.begin()).await.map_err(store_error)?;
        }
        Ok(lent)
    }

    pub(crate) fn state(&self) -> PoolState {
        let max = self.pool.options().get_max_connections();
        self.waits.pool_state(self.pool.size(), self.pool.num_idle(), max)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that goes back when it is dropped, unless an answer is still awaited on it or a transaction is open. Then
/// it is closed: whoever had it next would wait for an answer that is not theirs.
pub(crate) struct Lent {
    connection: Option<PoolConnection<Postgres>>,
    way: Way,
    is_in_transaction: bool,
    is_awaited: bool,
}

impl Lent {
    /// Makes one transaction of all statements until it is settled.
    pub(crate) async fn begin(&mut self) -> sqlx::Result<()> {
        if !self.is_in_transaction {
            sqlx::raw_sql(BEGIN).execute(&mut **self).await?;
            self.is_in_transaction = true;
        }
        Ok(())
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        let end = match self.way {
            Way::Direct => "commit",
            Way::Pooled => "deallocate all; commit",
        };
        sqlx::raw_sql(end).execute(&mut **self).await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Gives the connection back, unless it is broken, and says what came of its statement.
    pub(crate) async fn settle<A>(mut self, outcome: sqlx::Result<A>) -> Result<A> {
        self.answered(outcome).await
    }

    /// Says what came of a statement, and keeps the connection: no longer in a transaction, unless it is broken.
    pub(crate) async fn answered<A>(&mut self, outcome: sqlx::Result<A>) -> Result<A> {
        let outcome = match outcome {
            outcome if !self.is_in_transaction => outcome,
            Ok(answer) => in_time(self.end()).await.map(|()| answer),
            // Closed while the transaction is open: so a pooler gives the server's side of it to nobody else.
            Err(error) => return Err(store_error(error)),
        };
        let is_whole = match &outcome {
            Ok(_) => true,
            // The server has answered. Class 57: it has also shut the connection, or is about to.
            Err(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code == "57014" || !code.starts_with("57"))
            }
            Err(sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => true,
            Err(_) => false,
        };
        self.is_awaited = !is_whole;
        outcome.map_err(store_error)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|_| self.is_awaited || self.is_in_transaction) {
            drop(connection.detach());
        }
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("taken only by those who end the loan")
    }
}

impl DerefMut for Lent {
    /// Whoever takes it so asks something.
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.is_awaited = true;
        self.connection.as_mut().expect("taken only by those who end the loan")
    }
}

/// The answer to a statement, unless it does not come in time.
pub(crate) async fn in_time<A>(statement: impl Future<Output = sqlx::Result<A>>) -> sqlx::Result<A> {
    tokio::time::timeout(STATEMENT_LIMIT, statement).await.unwrap_or_else(|_| {
        let why = format!("it has not answered for {STATEMENT_LIMIT:?}");
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}
