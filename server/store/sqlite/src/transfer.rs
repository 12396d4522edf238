//! A database that is copied, or copied into: one connection, and nobody else who owns the file.

mod begin;
mod open;
mod put;
mod read;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};
use store::{Base, Batch, Begun, Cursor, Origin, Part, Progress, Result, Source, Target};
use tokio::sync::Mutex;

use crate::OpenError;
use crate::error::store_error;
use crate::lock::OwnerLock;
use crate::log;
use crate::place::Place;
pub(crate) use crate::transfer::open::refuse_unfinished;
pub(crate) use crate::transfer::put::insert_rows;

/// See [`store::Source`] and [`store::Target`].
#[derive(Debug)]
pub struct SqliteTransfer {
    connection: Mutex<SqliteConnection>,
    place: Place,
    file: PathBuf,
    _lock: OwnerLock,
}

impl SqliteTransfer {
    /// Opens a database that is there and has this version's schema. Nothing in its file is changed.
    pub async fn source(file: &Path) -> Result<Self, OpenError> {
        open::source(file).await
    }

    /// Opens a database to copy into, or makes it, and brings its schema up to date.
    pub async fn target(file: &Path) -> Result<Self, OpenError> {
        open::target(file).await
    }
}

#[async_trait]
impl Source for SqliteTransfer {
    fn name(&self) -> String {
        name(&self.file)
    }

    async fn base(&self) -> Result<Base> {
        self.place.check()?;
        read::base(&mut *self.connection.lock().await).await
    }

    async fn count(&self, part: Part) -> Result<u64> {
        self.place.check()?;
        read::count(&mut *self.connection.lock().await, part).await
    }

    async fn read(&self, part: Part, after: &Cursor, limit: u32) -> Result<Batch> {
        self.place.check()?;
        let mut connection = self.connection.lock().await;
        Ok(match part {
            Part::Accounts => Batch::Accounts(read::accounts(&mut connection, after.number(), limit).await?),
            Part::Log => Batch::Log(log::rows_after(&mut connection, after.number(), limit).await?),
            Part::Jobs => Batch::Jobs(read::jobs(&mut connection, after.number(), limit).await?),
            Part::Missing => Batch::Missing(read::missing(&mut connection, &after.0, limit).await?),
        })
    }
}

#[async_trait]
impl Target for SqliteTransfer {
    async fn begin(&self, origin: &Origin, base: &Base) -> Result<Begun> {
        self.place.check_for_writing()?;
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
        let begun = begin::begin(origin, base, &mut transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        Ok(begun)
    }

    async fn put(&self, batch: Batch, progress: &Progress) -> Result<()> {
        self.place.check_for_writing()?;
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
        put::put(batch, progress, &mut transaction).await?;
        transaction.commit().await.map_err(store_error)
    }

    async fn finish(&self) -> Result<()> {
        self.place.check_for_writing()?;
        let mut connection = self.connection.lock().await;
        sqlx::query!("update copy set finished = 1 where id = 1")
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        // The file alone is whole then, without the write-ahead log beside it.
        sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut *connection).await.map_err(store_error)?;
        Ok(())
    }

    fn how_to_empty(&self) -> String {
        "name a file that does not exist yet, or move this one away".to_owned()
    }
}

/// As it is written after `--from`, wherever one is.
pub(crate) fn name(file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    format!("sqlite:{}", file.display())
}
