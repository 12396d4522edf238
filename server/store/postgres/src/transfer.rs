//! A database that is copied, or copied into: one connection, and no server beside it.

mod begin;
mod open;
mod put;
mod read;

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use store::copy::{BeginOutcome, Cursor, Metadata, Progress, Records, Source, SourceIdentity, Table, Target};
use store::{Result, StoreError};
use tokio::sync::Mutex;

use crate::error::store_error;
use crate::log;
use crate::open::OpenError;

pub(crate) use crate::transfer::open::unfinished;

/// Counting millions of rows takes its time, and nobody waits for it but who has started the copy.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// See [`store::copy::Source`] and [`store::copy::Target`].
#[derive(Debug)]
pub struct PostgresCopy {
    connection: Mutex<PgConnection>,
    name: String,
}

impl PostgresCopy {
    /// Connects to a database that has this version's schema and that no server uses. `name` is shown instead of the
    /// URL, which holds the password.
    pub async fn source(url: &str, name: String) -> Result<Self, OpenError> {
        Ok(Self { connection: Mutex::new(open::source(url).await?), name })
    }

    /// Connects to a database to copy into, and brings its schema up to date.
    pub async fn target(url: &str, name: String) -> Result<Self, OpenError> {
        Ok(Self { connection: Mutex::new(open::target(url).await?), name })
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
                Table::Log => Records::Log(log::rows_after(&mut connection, after.number(), limit).await?),
                Table::Jobs => Records::Jobs(read::jobs(&mut connection, after.number(), limit).await?),
                Table::Missing => Records::Missing(read::missing(&mut connection, &after.0, limit).await?),
            })
        })
        .await
    }
}

#[async_trait]
impl Target for PostgresCopy {
    async fn begin(&self, origin: &SourceIdentity, base: &Metadata) -> Result<BeginOutcome> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            let mut transaction = connection.begin().await.map_err(store_error)?;
            let begun = begin::begin(origin, base, &mut transaction).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(begun)
        })
        .await
    }

    async fn write(&self, records: Records, progress: &Progress) -> Result<()> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            let mut transaction = connection.begin().await.map_err(store_error)?;
            put::put(records, progress, &mut transaction).await?;
            transaction.commit().await.map_err(store_error)
        })
        .await
    }

    async fn finish(&self) -> Result<()> {
        let mut connection = self.connection.lock().await;
        let finished = sqlx::query!("update copy set finished = true where id = 1");
        in_time(async { finished.execute(&mut *connection).await.map_err(store_error) }).await.map(drop)
    }

    fn how_to_empty(&self) -> String {
        "make a new one with `createdb NAME` and name it after --to, or drop this one and make it again".to_owned()
    }
}

/// The network may be cut, which nobody tells us.
async fn in_time<A>(work: impl Future<Output = Result<A>>) -> Result<A> {
    let late = |_| Err(StoreError::Connection(format!("the PostgreSQL server has not answered for {PATIENCE:?}")));
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(late)
}
