//! The embedded store: all promises, and what is SQLite's own.

mod commits;
mod opening;
mod plans;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use store::Store;
use store_sqlite::{Access, OpenError, Options, SqliteStore};
use tempfile::TempDir;

use crate::database::{Database, hold_every_promise};

mod promised {
    use super::*;

    hold_every_promise!(SqliteDatabase);
}

/// A store in a folder of its own.
pub(crate) struct SqliteDatabase {
    store: Arc<dyn Store>,
    folder: TempDir,
}

#[async_trait]
impl Database for SqliteDatabase {
    const CASES: u32 = 96;

    async fn create() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Arc::new(open(folder.path()).await.unwrap());
        Self { store, folder }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Arc::new(open(self.folder.path()).await.unwrap());
    }
}

async fn open(folder: &Path) -> Result<SqliteStore, OpenError> {
    open_as(folder, Access::Owner).await
}

async fn open_as(folder: &Path, access: Access) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(Options { file: folder.join("search4letters.db"), readers: 4, access }).await
}

/// Another program's connection to the database file in `folder`.
async fn visit(folder: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(folder.join("search4letters.db")).connect().await.unwrap()
}
