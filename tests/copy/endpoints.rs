//! The databases that are copied, or copied into.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use server::cli::{Copied, ProgressBar, copy};
use store::copy::{Source, Target};
use store::{Store, SystemClock};
use store_postgres::{PostgresCopy, PostgresStore};
use store_sqlite::{Access, Options, SqliteCopy, SqliteStore};
use tempfile::TempDir;
use tests::eventually;
use tests::postgres_cluster::{PostgresCluster, PostgresDatabase};

/// A database that can be the source or the target of a copy. Removed when dropped.
#[async_trait(?Send)]
pub(crate) trait Endpoint: Send + Sync {
    async fn create() -> Self;

    /// Opens the database as a server does, or returns its error.
    async fn store(&self) -> Result<Arc<dyn Store>, String>;

    async fn source(&self) -> Result<Box<dyn Source>, String>;

    async fn target(&self) -> Result<Box<dyn Target>, String>;

    /// Runs a statement without the product.
    async fn run(&self, statement: &'static str);
}

pub(crate) struct SqliteEndpoint(TempDir);

impl SqliteEndpoint {
    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("search4letters.db")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }
}

#[async_trait(?Send)]
impl Endpoint for SqliteEndpoint {
    async fn create() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn store(&self) -> Result<Arc<dyn Store>, String> {
        let options = Options { file: self.file(), readers: 2, access: Access::Owner };
        Ok(Arc::new(SqliteStore::open(options).await.map_err(|error| error.to_string())?))
    }

    async fn source(&self) -> Result<Box<dyn Source>, String> {
        Ok(Box::new(SqliteCopy::source(&self.file()).await.map_err(|error| error.to_string())?))
    }

    async fn target(&self) -> Result<Box<dyn Target>, String> {
        Ok(Box::new(SqliteCopy::target(&self.file()).await.map_err(|error| error.to_string())?))
    }

    async fn run(&self, statement: &'static str) {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }
}

pub(crate) struct PostgresEndpoint(PostgresDatabase);

impl PostgresEndpoint {
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    /// The number of rows in the log; 0 before the log exists.
    pub(crate) async fn rows(&self) -> i64 {
        let mut connection = self.0.connect().await;
        sqlx::query_scalar("select count(*) from log").fetch_one(&mut connection).await.unwrap_or(0)
    }
}

#[async_trait(?Send)]
impl Endpoint for PostgresEndpoint {
    async fn create() -> Self {
        Self(PostgresCluster::shared().await.create_database().await)
    }

    async fn store(&self) -> Result<Arc<dyn Store>, String> {
        let options = store_postgres::Options { url: self.url(), listen_url: None, connections: 3 };
        let opened = PostgresStore::open(options, store_postgres::Access::Owner).await;
        Ok(Arc::new(opened.map_err(|error| error.to_string())?))
    }

    async fn source(&self) -> Result<Box<dyn Source>, String> {
        let mut connection = self.0.connect().await;
        eventually("the server's connections are gone", async || {
            let left = "select count(*) from pg_stat_activity
                        where datname = current_database() and application_name like 'search4letters-%'";
            let left: i64 = sqlx::query_scalar(left).fetch_one(&mut connection).await.unwrap();
            (left == 0).then_some(())
        })
        .await;
        let opened = PostgresCopy::source(&self.url(), "postgres:test".to_owned()).await;
        Ok(Box::new(opened.map_err(|error| error.to_string())?))
    }

    async fn target(&self) -> Result<Box<dyn Target>, String> {
        let opened = PostgresCopy::target(&self.url(), "postgres:test".to_owned()).await;
        Ok(Box::new(opened.map_err(|error| error.to_string())?))
    }

    async fn run(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&mut self.0.connect().await).await.unwrap();
    }
}

/// Copies as the command does, without a progress display.
pub(crate) async fn copy_quietly(source: &dyn Source, target: &dyn Target) -> anyhow::Result<Copied> {
    copy(source, target, &SystemClock::start(), &mut ProgressBar::silent()).await
}

/// Copies one database into another. Panics unless the first attempt succeeds.
pub(crate) async fn copy_at_once(from: &impl Endpoint, to: &impl Endpoint) {
    let (source, target) = (from.source().await.unwrap(), to.target().await.unwrap());
    let copied = copy_quietly(&*source, &*target).await.unwrap();
    let Copied::Verified(report) = copied else { panic!("it was there already") };
    assert!(report.is_same(), "{report}\n{:?}", report.difference());
}

/// Makes a test of each function, for each pair of databases.
macro_rules! for_each_pair {
    ($($promise:ident),* $(,)?) => {
        for_each_pair! { @pair up, SqliteEndpoint, PostgresEndpoint, $($promise),* }
        for_each_pair! { @pair across, SqliteEndpoint, SqliteEndpoint, $($promise),* }
        for_each_pair! { @pair down, PostgresEndpoint, SqliteEndpoint, $($promise),* }
    };
    (@pair $pair:ident, $from:ident, $to:ident, $($promise:ident),*) => {
        mod $pair {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $promise() {
                    super::$promise::<$crate::endpoints::$from, $crate::endpoints::$to>().await;
                }
            )*
        }
    };
}

pub(crate) use for_each_pair;
