//! The store on a server: all promises, and what is PostgreSQL's own.

mod opening;
mod plans;
mod pooled;
mod together;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use store::Store;
use store_postgres::{Access, OpenError, Options, PostgresStore};
use tests::PostgresCluster;

use crate::database::{Database, hold_every_promise};

mod promised {
    use super::*;

    hold_every_promise!(PostgresDatabase);
}

/// A store in a database of its own.
pub(crate) struct PostgresDatabase {
    store: Arc<dyn Store>,
    database: tests::PostgresDatabase,
}

#[async_trait]
impl Database for PostgresDatabase {
    // A database costs more here, and each step more than one way to the server and back.
    const CASES: u32 = 16;

    async fn create() -> Self {
        let database = create_database().await;
        let store = Arc::new(open(&database.url()).await.unwrap());
        Self { store, database }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Arc::new(open(&self.database.url()).await.unwrap());
    }
}

/// A database of the shared cluster, with our tables.
async fn create_database() -> tests::PostgresDatabase {
    PostgresCluster::shared().await.create_prepared_database(migrate).await
}

async fn migrate(url: String) {
    open(&url).await.unwrap().close().await;
    let mut visitor = PgConnection::connect(&url).await.unwrap();
    // It would be the same in every copy.
    sqlx::query("delete from secret").execute(&mut visitor).await.unwrap();
    visitor.close().await.unwrap();
}

async fn open(url: &str) -> Result<PostgresStore, OpenError> {
    open_as(url, Access::Owner).await
}

async fn open_as(url: &str, access: Access) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(options(url), access).await
}

fn options(url: &str) -> Options {
    Options { url: url.to_owned(), listen_url: None, connections: 5 }
}
