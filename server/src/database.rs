//! Opens the product's databases. No other file of the server names one.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use api::DatabaseSpec;
use server::cli::config::{Config, DatabaseUrl, PostgresUrl};
use server::cli::{self, Finding, NotOpened, ServerFacts};
use server::lab::database::PoolOpener;
use store::copy::{Source, Target};
use store::{Clock, PoolProbe, Store, SystemClock};
use store_postgres::{PostgresCopy, PostgresStore};
use store_sqlite::{LogFile, SqliteCopy, SqliteStore};
use tempfile::TempDir;

/// Concurrent reads of a file. More would only wait for the same disk.
const READERS: u32 = 8;

/// What a command does with the database.
#[derive(Clone, Copy)]
pub enum Access {
    /// Runs jobs, or changes the schema.
    Owner,
    /// Adds jobs that other processes run.
    Feeder,
    /// Touches no jobs.
    Guest,
}

impl Access {
    fn of_file(self) -> store_sqlite::Access {
        match self {
            // A job added while another owner runs would wait for that owner's next start: nothing notifies it.
            Self::Owner | Self::Feeder => store_sqlite::Access::Owner,
            Self::Guest => store_sqlite::Access::Guest,
        }
    }

    fn of_server(self) -> store_postgres::Access {
        match self {
            Self::Owner => store_postgres::Access::Owner,
            Self::Feeder | Self::Guest => store_postgres::Access::Guest,
        }
    }
}

/// Opens the database. From then on the clock follows the database's, if it has one.
pub async fn open(config: &Config, access: Access, clock: &SystemClock) -> Result<Arc<dyn Store>, NotOpened> {
    let store: Arc<dyn Store> = match config.database() {
        DatabaseUrl::Sqlite(file) => {
            let options = store_sqlite::Options { file: file.clone(), readers: READERS, access: access.of_file() };
            let opened = SqliteStore::open(options).await.map_err(file_error)?;
            // Only now is there a file for sure.
            if let Access::Owner = access {
                store_sqlite::risks(&file).iter().for_each(|risk| tracing::warn!("{risk}"));
            }
            Arc::new(opened)
        }
        DatabaseUrl::Postgres(url) => {
            let options = postgres_options(config, &url);
            Arc::new(PostgresStore::open(options, access.of_server()).await.map_err(server_error)?)
        }
    };
    let followed = clock.follow(store.time()).await;
    followed.map_err(|error| NotOpened { kind: error.kind(), message: error.detail().to_owned() })?;
    Ok(store)
}

/// For long-running processes: waits for a database server that is still starting.
pub async fn open_patiently(config: &Config, access: Access, clock: &SystemClock) -> Result<Arc<dyn Store>, NotOpened> {
    match config.database() {
        DatabaseUrl::Sqlite(_) => open(config, access, clock).await,
        DatabaseUrl::Postgres(_) => cli::wait_for_database(clock, async || open(config, access, clock).await).await,
    }
}

pub async fn open_source(url: &DatabaseUrl) -> Result<Box<dyn Source>, NotOpened> {
    Ok(match url {
        DatabaseUrl::Sqlite(file) => Box::new(SqliteCopy::source(file).await.map_err(file_error)?),
        DatabaseUrl::Postgres(url) => {
            Box::new(PostgresCopy::source(url.reveal(), url.to_string()).await.map_err(server_error)?)
        }
    })
}

pub async fn open_target(url: &DatabaseUrl) -> Result<Box<dyn Target>, NotOpened> {
    Ok(match url {
        DatabaseUrl::Sqlite(file) => Box::new(SqliteCopy::target(file).await.map_err(file_error)?),
        DatabaseUrl::Postgres(url) => {
            Box::new(PostgresCopy::target(url.reveal(), url.to_string()).await.map_err(server_error)?)
        }
    })
}

/// An SQLite file with the table log, for an export. The file is empty or does not exist yet.
pub async fn create_log_file(file: &Path) -> store::Result<LogFile> {
    LogFile::create(file).await
}

/// Opens another pool on the database, for the lab's tasks alone.
pub fn pool_opener(config: &Config) -> PoolOpener {
    let config = Arc::new(config.clone());
    Arc::new(move || {
        let config = config.clone();
        Box::pin(async move {
            let pool: Arc<dyn PoolProbe> = match config.database() {
                DatabaseUrl::Sqlite(file) => {
                    let (readers, access) = (DatabaseSpec::CONNECTIONS, store_sqlite::Access::Guest);
                    let options = store_sqlite::Options { file, readers, access };
                    Arc::new(SqliteStore::open(options).await.map_err(file_error)?)
                }
                DatabaseUrl::Postgres(url) => {
                    let connections = DatabaseSpec::CONNECTIONS;
                    let options = store_postgres::Options { connections, ..postgres_options(&config, &url) };
                    let access = store_postgres::Access::Guest;
                    Arc::new(PostgresStore::open(options, access).await.map_err(server_error)?)
                }
            };
            Ok(pool)
        })
    })
}

/// The database that `lab database` uses: the configured one, or an empty temporary one if that does not exist yet.
pub struct LabDatabase {
    pub open_pool: PoolOpener,
    /// Shown in messages.
    pub name: String,
    /// Removes the temporary database when dropped.
    _folder: Option<TempDir>,
}

impl LabDatabase {
    pub fn new(mut config: Config) -> anyhow::Result<Self> {
        let (name, folder) = match config.database() {
            DatabaseUrl::Sqlite(file) if !file.exists() => {
                let folder = TempDir::new().context("no temporary folder can be made")?;
                config.store.database_url = Some(DatabaseUrl::Sqlite(folder.path().join("lab.db")));
                (format!("an empty one in a temporary folder: {} does not exist", file.display()), Some(folder))
            }
            DatabaseUrl::Sqlite(file) => (file.display().to_string(), None),
            DatabaseUrl::Postgres(url) => (url.to_string(), None),
        };
        Ok(Self { open_pool: pool_opener(&config), name, _folder: folder })
    }
}

/// What `check` finds before it can use the store, and the store if it opens.
pub async fn check(config: &Config, clock: &SystemClock) -> (Vec<Finding>, Option<Arc<dyn Store>>) {
    let name = match config.database() {
        DatabaseUrl::Sqlite(file) if !file.exists() => {
            let text = format!("{} does not exist yet; the first start makes it", file.display());
            return (vec![Finding::Good(text)], None);
        }
        DatabaseUrl::Sqlite(file) => file.display().to_string(),
        DatabaseUrl::Postgres(url) => url.to_string(),
    };
    match open(config, Access::Guest, clock).await {
        Ok(store) => {
            let mut findings = vec![Finding::Good(format!("{name} is a sound database of this version"))];
            findings.extend(match config.database() {
                DatabaseUrl::Sqlite(file) => check_file(&file).await,
                DatabaseUrl::Postgres(url) => check_server(config, &url, clock).await,
            });
            (findings, Some(store))
        }
        Err(error) => (vec![Finding::Wrong(error.to_string())], None),
    }
}

async fn check_file(file: &Path) -> Vec<Finding> {
    let triggers = match store_sqlite::foreign_triggers(file).await {
        Ok(triggers) => triggers.into_iter().map(Finding::Noted).collect(),
        Err(error) => vec![Finding::Wrong(error.to_string())],
    };
    store_sqlite::risks(file).into_iter().map(Finding::Noted).chain(triggers).collect()
}

async fn check_server(config: &Config, url: &PostgresUrl, clock: &SystemClock) -> Vec<Finding> {
    match store_postgres::examine(&postgres_options(config, url)).await {
        Ok(examined) => {
            let mut refused: Vec<_> = examined.refused_writes.into_iter().map(Finding::Wrong).collect();
            if refused.is_empty() {
                refused.push(Finding::Good("the server accepts every change that this program makes".to_owned()));
            }
            let noted = examined.risks.into_iter().map(Finding::Noted);
            let facts = cli::check_server(ServerFacts {
                do_notifications_arrive: examined.are_notifications_heard,
                connections_holder: examined.connections.holder,
                connections_remedy: examined.connections.remedy,
                connections_limit: examined.connections.limit,
                connections_in_use: examined.connections.in_use,
                // Includes the connection that listens.
                connections_ours: config.store.database_connections.get().saturating_add(1),
                clock_ahead_ms: clock.machine_ahead_ms(),
            });
            refused.into_iter().chain(noted).chain(facts).collect()
        }
        Err(error) => vec![Finding::Wrong(error.to_string())],
    }
}

fn postgres_options(config: &Config, url: &PostgresUrl) -> store_postgres::Options {
    store_postgres::Options {
        url: url.reveal().to_owned(),
        listen_url: config.store.database_listen_url.as_ref().map(|url| url.reveal().to_owned()),
        connections: config.store.database_connections.get(),
    }
}

fn file_error(error: store_sqlite::OpenError) -> NotOpened {
    NotOpened { kind: error.kind(), message: error.to_string() }
}

fn server_error(error: store_postgres::OpenError) -> NotOpened {
    NotOpened { kind: error.kind(), message: error.to_string() }
}
