//! The store in PostgreSQL, for many processes at a time.
//!
//! Each verb is one statement that commits by itself: no lock outlives the server's own work, whatever
//! becomes of the process that has asked, and a transaction pooler may stand between. Verbs that many ask at
//! the same time are gathered into one statement (see `lane`). What is counted, and who else is woken, is up to the
//! triggers of migrations/postgres.

mod accounts;
mod connections;
mod error;
mod escape;
mod examine;
mod lane;
mod listener;
mod log;
mod open;
mod pool_probe;
mod queue;
mod transfer;
mod workers;

use std::sync::Arc;

use api::{PoolState, TimeMs};
use async_trait::async_trait;
use store::{Description, Notifier, Result, Store};

use crate::connections::{Connections, in_time};
use crate::lane::Lane;
use crate::listener::Listener;
use crate::log::Record;
use crate::queue::{Add, Finishes, Front};

pub use crate::examine::{Examination, examine};
pub use crate::open::OpenError;
pub use crate::transfer::PostgresCopy;

/// A database on a PostgreSQL server.
#[derive(Debug)]
pub struct PostgresStore {
    connections: Connections,
    adds: Lane<Add>,
    records: Lane<Record>,
    finishes: Lane<Finishes>,
    front: Arc<Front>,
    waker: Arc<Notifier>,
    listener: Listener,
    secret: [u8; 32],
}

/// Where the database is, and how it is used.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:port/database?parameters`
    pub url: String,
    /// For LISTEN and for migrations, where `url` leads through a transaction pooler, which can do neither.
    pub listen_url: Option<String>,
    /// How many connections at most, besides the one that listens.
    pub connections: u32,
}

/// Without the URLs, which hold the password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// Whether the schema may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For whoever runs jobs: brings the schema up to date, one process at a time.
    Owner,
    /// For commands beside them: refuses an older schema.
    Guest,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date where `access` allows it.
    pub async fn open(options: Options, access: Access) -> Result<Self, OpenError> {
        open::open(options, access).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<()> {
        // Reads the ends of the tables on the way of a search: what does not answer there will not answer a worker.
        let mut connection = self.connections.get().await?;
        let read = sqlx::query_scalar!(
            r#"select (exists (select 1 from total)
                       or exists (select 1 from (select 1 from job order by id desc limit 1) as newest)
                       or exists (select 1 from job where state in ('scheduled', 'retrying'))
                       or exists (select 1 from (select 1 from log order by id desc limit 1) as newest)
                       or pg_is_in_recovery()) as "there!""#
        );
        let read = in_time(read.fetch_one(&mut *connection)).await;
        connection.settle(read).await?;
        let mut connection = self.connections.get().await?;
        // A transaction that writes nothing and needs a number all the same: a replica refuses it.
        let written = sqlx::query_scalar!(r#"select pg_current_xact_id()::text as "id!""#);
        let written = in_time(written.fetch_one(&mut *connection)).await;
        connection.settle(written).await.map(drop)
    }

    async fn secret(&self) -> Result<[u8; 32]> {
        Ok(self.secret)
    }

    async fn describe(&self) -> Result<Description> {
        let mut connection = self.connections.get().await?;
        let server = sqlx::query!(
            r#"select current_setting('server_version') as "version!",
                      pg_database_size(current_database()) as "size!""#
        );
        let server = in_time(server.fetch_one(&mut *connection)).await;
        let server = connection.settle(server).await?;
        Ok(Description {
            // Distributions append their own version in brackets.
            engine: format!("PostgreSQL {}", server.version.split(' ').next().unwrap_or_default()),
            schema: open::known_version(),
            size_bytes: store::codec::count(server.size),
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn time(&self) -> Result<Option<TimeMs>> {
        let mut connection = self.connections.get().await?;
        let now = sqlx::query_scalar!(r#"select (extract(epoch from clock_timestamp()) * 1000)::bigint as "now!""#);
        let now = in_time(now.fetch_one(&mut *connection)).await;
        connection.settle(now).await.map(|now| Some(TimeMs(now)))
    }

    fn pool(&self) -> PoolState {
        self.connections.state()
    }

    async fn close(&self) {
        self.adds.close().await;
        self.records.close().await;
        self.finishes.close().await;
        self.listener.close().await;
        self.connections.close().await;
    }
}
