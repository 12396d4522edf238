//! Connects to the database, or says in one sentence why not and what mends it.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use api::FaultKind;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use store::{Notifier, StoreError};

use crate::connections::{Connections, Way};
use crate::error::store_error;
use crate::lane::Lane;
use crate::listener::Listener;
use crate::queue::Front;
use crate::transfer::unfinished;
use crate::{Access, Options, PostgresStore};

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/postgres");

/// The first that has transaction ids of 64 bits in SQL.
const OLDEST_SERVER: i32 = 130_000;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Another process may be at a migration that takes its time.
const MIGRATE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Why the database cannot be used. Each text names what to do about it; none holds the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database's URL cannot be read: {0}. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Url(String),
    #[error("{place} cannot be connected to: {}. {fix}", reason.detail())]
    Connect { place: String, reason: StoreError, fix: String },
    #[error("{place} runs PostgreSQL {version}; this program needs 13 or later. Upgrade the server")]
    OldServer { place: String, version: String },
    #[error(
        "{place} was written by a newer version (schema {version}; this one knows up to {known}). Install that version or a later one"
    )]
    NewerSchema { place: String, version: i64, known: i64 },
    #[error(
        "{place} was written by an older version (schema {version}; this one needs {known}). Start the new server, or run `search4letters migrate`"
    )]
    OlderSchema { place: String, version: i64, known: i64 },
    #[error(
        "{place} holds a copy that is not finished. Finish it with `search4letters copy --from {from} --to URL`, with this database's URL, or use another database"
    )]
    UnfinishedCopy { place: String, from: String },
    #[error("{place} is in use by a server. Stop it, and whatever else uses that database, before it is copied")]
    Served { place: String },
    #[error("{place} cannot be brought up to date: {}. See that this user may create tables in it: it is easiest to let it own the database", reason.detail())]
    Migration { place: String, reason: StoreError },
    #[error("{place} cannot be used: {reason}")]
    Other { place: String, reason: StoreError },
}

impl OpenError {
    /// Which of the operator's three questions is to be asked.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Url(_) => FaultKind::CredentialsError,
            Self::Served { .. } => FaultKind::ConnectionError,
            Self::OldServer { .. }
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::UnfinishedCopy { .. } => FaultKind::SqlError,
            Self::Connect { reason, .. } | Self::Migration { reason, .. } | Self::Other { reason, .. } => reason.kind(),
        }
    }
}

pub(crate) async fn open(options: Options, access: Access) -> Result<PostgresStore, OpenError> {
    let own_name = own_name()?;
    let pooled = connect_options(&options.url, &own_name)?;
    let (direct, way) = match &options.listen_url {
        Some(url) => (connect_options(url, &own_name)?, Way::Pooled),
        None => (pooled.clone(), Way::Direct),
    };
    let place = place(&direct);
    let mut connection = connect(&direct, &place).await?;
    prepare(&mut connection, access).await.map_err(|failure| failure.about(place.clone()))?;
    let secret = async {
        if let Some(from) = unfinished(&mut connection).await? {
            return Err(Failure::UnfinishedCopy { from });
        }
        Ok(secret(&mut connection).await?)
    };
    let secret = secret.await.map_err(|failure| failure.about(place.clone()))?;
    drop(connection.close().await);
    let (waker, front) = (Arc::new(Notifier::default()), Arc::new(Front::default()));
    let connections = Connections::open(pooled, options.connections, way);
    let listener = Listener::start(direct, own_name, waker.clone(), front.clone()).await;
    Ok(PostgresStore {
        adds: Lane::start(connections.clone(), front.clone(), waker.clone()),
        records: Lane::start(connections.clone(), front.clone(), waker.clone()),
        finishes: Lane::start(connections.clone(), front.clone(), waker.clone()),
        connections,
        front,
        waker,
        listener,
        secret,
    })
}

/// Tells this process's connections from all others, on the server's side too.
pub(crate) fn own_name() -> Result<String, OpenError> {
    let mut random = [0; 4];
    let refused = |error| OpenError::Url(format!("the system has no random numbers: {error}"));
    getrandom::fill(&mut random).map_err(refused)?;
    Ok(format!("search4letters-{:08x}", u32::from_be_bytes(random)))
}

pub(crate) fn connect_options(url: &str, own_name: &str) -> Result<PgConnectOptions, OpenError> {
    // What the parser says may hold parts of the URL, and so of the password.
    let options =
        PgConnectOptions::from_str(url).map_err(|_| OpenError::Url("it is no URL of PostgreSQL".to_owned()))?;
    // Statements are logged at debug level with a formatted copy of each: too dear for a hot path.
    // Nothing of ours is a floating number, and poolers refuse a parameter that they do not know.
    Ok(options.application_name(own_name).extra_float_digits(None).disable_statement_logging())
}

/// Where a connection leads, without the password.
pub(crate) fn place(options: &PgConnectOptions) -> String {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let (user, port) = (options.get_username(), options.get_port());
    let database = options.get_database().unwrap_or(user);
    format!("the database {database} on {host}:{port} (as {user})")
}

pub(crate) async fn connect(options: &PgConnectOptions, place: &str) -> Result<PgConnection, OpenError> {
    let outcome = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
    let error = match outcome {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(error)) => error,
        Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
    };
    let fix = match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some("3D000") => {
            format!("Make it: createdb {}", options.get_database().unwrap_or_else(|| options.get_username()))
        }
        Some("53300") => "Raise the server's max_connections, or lower --database-connections".to_owned(),
        Some(code) if code.starts_with("28") => {
            "See the user and the password in DATABASE_URL, and the server's pg_hba.conf".to_owned()
        }
        _ => "See that the server runs and listens there, and that no firewall stands between".to_owned(),
    };
    Err(OpenError::Connect { place: place.to_owned(), reason: store_error(error), fix })
}

/// The version of the schema that this program brings a database to.
pub(crate) fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

pub(crate) async fn prepare(connection: &mut PgConnection, access: Access) -> Result<(), Failure> {
    let server = sqlx::query_scalar::<_, String>("show server_version_num").fetch_one(&mut *connection).await?;
    if server.parse::<i32>().is_ok_and(|version| version < OLDEST_SERVER) {
        let version = sqlx::query_scalar("show server_version").fetch_one(&mut *connection).await?;
        return Err(Failure::OldServer(version));
    }
    let (version, oldest) = versions(connection).await?;
    let known = known_version();
    if version > known && oldest > known {
        return Err(Failure::NewerSchema { version, known });
    }
    if version < known {
        match access {
            Access::Owner => migrate(connection).await?,
            Access::Guest => return Err(Failure::OlderSchema { version, known }),
        }
    }
    // In a cluster that the database was restored into, transactions may have smaller numbers than they had.
    let restored = "update folded set up_to = '0' where up_to > pg_snapshot_xmax(pg_current_snapshot())";
    sqlx::query(restored).execute(connection).await?;
    Ok(())
}

/// The schema's version, and the oldest that a program must know to use it.
async fn versions(connection: &mut PgConnection) -> sqlx::Result<(i64, i64)> {
    // Another process may be at the first migration: sqlx makes its own table before ours.
    let is_there = sqlx::query_scalar::<_, bool>(
        "select to_regclass('_sqlx_migrations') is not null and to_regclass('compatibility') is not null",
    );
    if !is_there.fetch_one(&mut *connection).await? {
        return Ok((0, 0));
    }
    let versions = "select (select coalesce(max(version), 0) from _sqlx_migrations where success),
                           (select coalesce(max(oldest_schema), 0) from compatibility)";
    sqlx::query_as(versions).fetch_one(connection).await
}

/// Of many processes that are started together, one at a time: sqlx holds a lock meanwhile.
async fn migrate(connection: &mut PgConnection) -> Result<(), Failure> {
    let migrator = Migrator { ignore_missing: true, ..Migrator::with_migrations(MIGRATIONS.iter().cloned().collect()) };
    // Not `run`: its future is not Send for a borrowed connection, which is why sqlx has this one.
    let outcome = tokio::time::timeout(MIGRATE_TIMEOUT, migrator.run_direct(None, connection, false)).await;
    outcome.unwrap_or(Err(MigrateError::Execute(sqlx::Error::PoolTimedOut))).map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            Failure::Migration(store_error(error))
        }
        error => Failure::Migration(StoreError::Sql(error.to_string())),
    })
}

pub(crate) async fn secret(connection: &mut PgConnection) -> sqlx::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| sqlx::Error::Io(std::io::Error::other(error.to_string())))?;
    sqlx::query!("insert into secret (id, key) values (1, $1) on conflict (id) do nothing", &key[..])
        .execute(&mut *connection)
        .await?;
    let stored = sqlx::query_scalar!("select key from secret where id = 1").fetch_one(connection).await?;
    stored.try_into().map_err(|_| sqlx::Error::Protocol("the secret key has a wrong length".to_owned()))
}

/// An [`OpenError`] before it knows its place.
pub(crate) enum Failure {
    OldServer(String),
    NewerSchema { version: i64, known: i64 },
    OlderSchema { version: i64, known: i64 },
    UnfinishedCopy { from: String },
    Served,
    Migration(StoreError),
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl Failure {
    pub(crate) fn about(self, place: String) -> OpenError {
        match self {
            Self::OldServer(version) => OpenError::OldServer { place, version },
            Self::NewerSchema { version, known } => OpenError::NewerSchema { place, version, known },
            Self::OlderSchema { version, known } => OpenError::OlderSchema { place, version, known },
            Self::UnfinishedCopy { from } => OpenError::UnfinishedCopy { place, from },
            Self::Served => OpenError::Served { place },
            Self::Migration(reason) => OpenError::Migration { place, reason },
            Self::Sqlx(error) => OpenError::Other { place, reason: store_error(error) },
        }
    }
}
