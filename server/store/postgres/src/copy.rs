//! The source or target of a copy: one connection, and no running server.

mod begin;
mod read;
mod write;

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use store::copy::{BeginOutcome, Cursor, Metadata, Progress, Records, Source, SourceIdentity, Table, Target};
use store::{Result, StoreError};
use tokio::sync::Mutex;

use crate::connect::{
    Access, Demand, begin_session, connect, connect_options, known_version, location, prepare, read_or_make_secret,
    refuse_unfinished_copy,
};
use crate::error::Error;
use crate::log_rows::rows_after;
use crate::open_error::{OpenError, OpenFailure};
use crate::surroundings::refuse_unfit_tables;

/// Counting millions of rows is slow, and only the command that started the copy waits for it.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Not like a server's name, so that a copy that was killed does not count as a server.
const OWN_NAME: &str = "search4letters copy";

/// See [`store::copy::Source`] and [`store::copy::Target`].
#[derive(Debug)]
pub struct PostgresCopy {
    connection: Mutex<PgConnection>,
    name: String,
}

impl PostgresCopy {
    /// Connects to a database that has this version's schema and that no server uses. `name` is shown instead of the
    /// URL, which contains the password.
    pub async fn source(url: &str, name: String) -> Result<Self, OpenError> {
        let options = connect_options(url, OWN_NAME)?;
        let location = location(&options);
        let mut connection = connect(&options, &location).await?;
        let prepared = async {
            let session = begin_session(&mut connection, Demand::Source).await?;
            prepare(&mut connection, &session, Access::Guest).await?;
            refuse_unfinished_copy(&mut connection).await?;
            if is_served(&mut connection).await? {
                return Err(OpenFailure::Served);
            }
            // All reads see the same snapshot.
            sqlx::query("begin isolation level repeatable read read only").execute(&mut connection).await?;
            sqlx::query("select 1 from secret").execute(&mut connection).await?;
            Ok(())
        };
        prepared.await.map_err(|failure: OpenFailure| failure.with_location(location))?;
        Ok(Self { connection: Mutex::new(connection), name })
    }

    /// Connects to a database to copy into, and brings its schema up to date.
    pub async fn target(url: &str, name: String) -> Result<Self, OpenError> {
        let options = connect_options(url, OWN_NAME)?;
        let location = location(&options);
        let mut connection = connect(&options, &location).await?;
        let prepared = async {
            let session = begin_session(&mut connection, Demand::KeepsPromises).await?;
            prepare(&mut connection, &session, Access::Owner).await?;
            refuse_unfit_tables(&mut connection, known_version()).await?;
            read_or_make_secret(&mut connection).await?;
            Ok(())
        };
        prepared.await.map_err(|failure: OpenFailure| failure.with_location(location))?;
        Ok(Self { connection: Mutex::new(connection), name })
    }
}

#[async_trait]
impl Source for PostgresCopy {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn metadata(&self) -> Result<Metadata> {
        in_time(read::metadata(&mut *self.connection.lock().await)).await
    }

    async fn count(&self, table: Table) -> Result<u64> {
        in_time(read::count(&mut *self.connection.lock().await, table)).await
    }

    async fn read(&self, table: Table, after: &Cursor, limit: u32) -> Result<Records> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            Ok(match table {
                Table::Accounts => Records::Accounts(read::accounts(&mut connection, after.number(), limit).await?),
                Table::Audit => Records::Audit(read::audit(&mut connection, after.number(), limit).await?),
                Table::Log => Records::Log(rows_after(&mut connection, after.number(), limit).await?),
                Table::Jobs => Records::Jobs(read::jobs(&mut connection, after.number(), limit).await?),
                Table::Missing => Records::Missing(read::missing(&mut connection, &after.0, limit).await?),
            })
        })
        .await
    }
}

#[async_trait]
impl Target for PostgresCopy {
    async fn begin(&self, source: &SourceIdentity, metadata: &Metadata) -> Result<BeginOutcome> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            let mut transaction = connection.begin().await?;
            let outcome = begin::begin(source, metadata, &mut transaction).await?;
            transaction.commit().await?;
            Ok(outcome)
        })
        .await
    }

    async fn write(&self, records: Records, progress: &Progress) -> Result<()> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            let mut transaction = connection.begin().await?;
            write::write(records, progress, &mut transaction).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn finish(&self) -> Result<()> {
        let mut connection = self.connection.lock().await;
        let finished = sqlx::query!("update copy set finished = true where id = 1");
        in_time(async { Ok(finished.execute(&mut *connection).await?) }).await.map(drop)
    }

    fn how_to_empty(&self) -> String {
        "make a new one with `createdb NAME` and name it after --to, or drop this one and make it again".to_owned()
    }
}

/// Fails if `work` takes too long: a cut network does not close the connection.
async fn in_time<A>(work: impl Future<Output = Result<A, Error>>) -> Result<A> {
    let late = |_| Err(StoreError::Connection(format!("the PostgreSQL server has not answered for {TIMEOUT:?}")));
    tokio::time::timeout(TIMEOUT, async { work.await.map_err(StoreError::from) }).await.unwrap_or_else(late)
}

/// Whether a server is connected to this database.
async fn is_served(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
               select 1 from pg_stat_activity
               where datname = current_database() and application_name like 'search4letters-%'
           ) as "is_served!""#
    )
    .fetch_one(connection)
    .await
}
