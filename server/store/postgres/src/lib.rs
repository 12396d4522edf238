//! The store in PostgreSQL, shared by any number of processes.
//!
//! Each method is one statement that commits by itself. So no lock outlives the server's own work, whatever happens to
//! the calling process, and a transaction pooler may be in between. Frequent methods are batched into one statement
//! (see `batcher`). The triggers of migrations/postgres count, and notify other processes.

mod accounts;
mod audit;
mod batcher;
mod claim_cursor;
mod connect;
mod connections;
mod copy;
mod counters;
mod error;
mod escape;
mod examine;
mod fetch;
mod job_admin;
mod job_queue;
mod ledger;
mod listener;
mod log_rows;
mod open_error;
mod pool_probe;
mod record;
mod search_log;
mod session;
mod surroundings;
mod workers;

use std::sync::Arc;

use api::{PoolState, TimeMs};
use async_trait::async_trait;
use sqlx::Connection;
use store::{ChangedTopics, Description, Notifier, Result, Store, Topic};

use crate::batcher::Batcher;
use crate::claim_cursor::ClaimCursor;
use crate::connect::{
    Demand, begin_session, connect, connect_options, identity, known_version, location, own_name, prepare,
    read_or_make_secret, refuse_unfinished_copy,
};
use crate::connections::{ConnectionMode, Connections};
use crate::job_queue::{Add, FinishAttempts, WriteContext};
use crate::listener::{Heard, Listener};
use crate::open_error::OpenFailure;
use crate::record::Record;
use crate::surroundings::refuse_unfit_tables;

pub use crate::connect::Access;
pub use crate::copy::PostgresCopy;
pub use crate::examine::{ConnectionLimit, Examination, examine};
pub use crate::open_error::OpenError;

/// A database on a PostgreSQL server.
#[derive(Debug)]
pub struct PostgresStore {
    connections: Connections,
    adds: Batcher<Add>,
    records: Batcher<Record>,
    finishes: Batcher<FinishAttempts>,
    cursor: Arc<ClaimCursor>,
    notifier: Arc<Notifier>,
    listener: Listener,
    secret: [u8; 32],
    identity: String,
}

/// Where the database is, and how it is used.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:port/database?parameters`
    pub url: String,
    /// For LISTEN and for migrations, if `url` leads through a transaction pooler, which supports neither.
    pub listen_url: Option<String>,
    /// The most connections, besides the one that listens.
    pub connections: u32,
}

/// Without the URLs, which contain the password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, and brings the schema up to date if `access` allows it.
    pub async fn open(options: Options, access: Access) -> Result<Self, OpenError> {
        let own_name = own_name()?;
        let pooled = connect_options(&options.url, &own_name)?;
        let (direct, mode) = match &options.listen_url {
            Some(url) => (connect_options(url, &own_name)?, ConnectionMode::Pooled),
            None => (pooled.clone(), ConnectionMode::Direct),
        };
        let location = location(&direct);
        let mut connection = connect(&direct, &location).await?;
        let opened = async {
            let session = begin_session(&mut connection, Demand::KeepsPromises).await?;
            prepare(&mut connection, &session, access).await?;
            refuse_unfit_tables(&mut connection, known_version()).await?;
            refuse_unfinished_copy(&mut connection).await?;
            let secret = read_or_make_secret(&mut connection).await?;
            Ok((session, secret, identity(&mut connection).await?))
        };
        let (session, secret, identity) =
            opened.await.map_err(|failure: OpenFailure| failure.with_location(location))?;
        drop(connection.close().await);
        let (notifier, cursor) = (Arc::new(Notifier::default()), Arc::new(ClaimCursor::default()));
        let connections = Connections::open(pooled, options.connections, mode, session.clone());
        let hear = hear(notifier.clone(), cursor.clone());
        let listener = Listener::start(direct, session, own_name, hear).await;
        let context = || WriteContext::new(connections.clone(), cursor.clone());
        Ok(Self {
            adds: Batcher::start(context(), notifier.clone()),
            records: Batcher::start(context(), notifier.clone()),
            finishes: Batcher::start(context(), notifier.clone()),
            connections,
            cursor,
            notifier,
            listener,
            secret,
            identity,
        })
    }

    /// Call after jobs have ended or wait again. They may be older than the jobs that were claimed last.
    fn older_jobs_changed(&self) {
        self.cursor.reset();
        ChangedTopics::topics(&[Topic::Jobs, Topic::Work]).notify(&self.notifier);
    }
}

/// Passes on the notifications of other processes.
fn hear(notifier: Arc<Notifier>, cursor: Arc<ClaimCursor>) -> impl Fn(Heard<'_>) {
    move |heard| match heard {
        Heard::MaybeMissed => {
            cursor.reset();
            Topic::ALL.into_iter().for_each(|topic| notifier.notify(topic));
        }
        Heard::Topic("log") => notifier.notify(Topic::Log),
        Heard::Topic("jobs") => notifier.notify(Topic::Jobs),
        Heard::Topic("work") => notifier.notify(Topic::Work),
        Heard::Topic("again") => {
            cursor.reset();
            notifier.notify(Topic::Work);
        }
        Heard::Topic("cancel") => notifier.notify(Topic::Cancel),
        Heard::Topic("output") => notifier.notify(Topic::Output),
        // From a later version.
        Heard::Topic(_) => {}
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<()> {
        // Reads the ends of the tables that every search uses: if this works, a worker can read too.
        let read = sqlx::query_scalar!(
            r#"select (exists (select 1 from total)
                       or exists (select 1 from (select 1 from job order by id desc limit 1) as newest)
                       or exists (select 1 from job where state in ('scheduled', 'retrying'))
                       or exists (select 1 from (select 1 from log order by id desc limit 1) as newest)
                       or pg_is_in_recovery()) as "found!""#
        );
        self.connections.fetch_one(read).await?;
        // Writes nothing but needs a transaction id, which a replica refuses.
        let write = sqlx::query_scalar!(r#"select pg_current_xact_id()::text as "id!""#);
        self.connections.fetch_one(write).await.map(drop)
    }

    async fn secret(&self) -> Result<[u8; 32]> {
        Ok(self.secret)
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    async fn describe(&self) -> Result<Description> {
        let server = sqlx::query!(
            r#"select current_setting('server_version') as "version!",
                      pg_database_size(current_database()) as "size!""#
        );
        let server = self.connections.fetch_one(server).await?;
        Ok(Description {
            // Distributions append their own version in parentheses.
            engine: format!("PostgreSQL {}", server.version.split(' ').next().unwrap_or_default()),
            schema: known_version(),
            size_bytes: store::codec::count(server.size),
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn time(&self) -> Result<Option<TimeMs>> {
        let now = sqlx::query_scalar!(r#"select (extract(epoch from clock_timestamp()) * 1000)::bigint as "now!""#);
        self.connections.fetch_one(now).await.map(|now| Some(TimeMs(now)))
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
