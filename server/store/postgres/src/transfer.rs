//! A database that is copied, or copied into: one connection, and no server beside it.

mod begin;
mod open;
mod put;
mod read;

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use store::{Base, Batch, Begun, Cursor, Origin, Part, Progress, Result, Source, StoreError, Target};
use tokio::sync::Mutex;

use crate::error::store_error;
use crate::log;
use crate::open::OpenError;

pub(crate) use crate::transfer::open::unfinished;

/// Counting millions of rows takes its time, and nobody waits for it but who has started the copy.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// See [`store::Source`] and [`store::Target`].
#[derive(Debug)]
pub struct PostgresTransfer {
    connection: Mutex<PgConnection>,
    name: String,
}

impl PostgresTransfer {
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
impl Source for PostgresTransfer {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn base(&self) -> Result<Base> {
        in_time(read::base(&mut *self.connection.lock().await)).await
    }

    async fn count(&self, part: Part) -> Result<u64> {
        in_time(read::count(&mut *self.connection.lock().await, part)).await
    }

    async fn read(&self, part: Part, after: &Cursor, limit: u32) -> Result<Batch> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            Ok(match part {
                Part::Accounts => Batch::Accounts(read::accounts(&mut connection, after.number(), limit).await?),
                Part::Log => Batch::Log(log::rows_after(&mut connection, after.number(), limit).await?),
                Part::Jobs => Batch::Jobs(read::jobs(&mut connection, after.number(), limit).await?),
                Part::Missing => Batch::Missing(read::missing(&mut connection, &after.0, limit).await?),
            })
        })
        .await
    }
}

#[async_trait]
impl Target for PostgresTransfer {
    async fn begin(&self, origin: &Origin, base: &Base) -> Result<Begun> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            let mut transaction = connection.begin().await.map_err(store_error)?;
            let begun = begin::begin(origin, base, &mut transaction).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(begun)
        })
        .await
    }

    async fn put(&self, batch: Batch, progress: &Progress) -> Result<()> {
        let mut connection = self.connection.lock().await;
        in_time(async {
            let mut transaction = connection.begin().await.map_err(store_error)?;
            put::put(batch, progress, &mut transaction).await?;
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
