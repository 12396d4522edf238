//! Connects to the database, or says in one sentence why not and what mends it.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use api::FaultKind;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use store::{StoreError, Waker};

use crate::connections::Connections;
use crate::error::store_error;
use crate::lane::Lane;
use crate::listener::Listener;
use crate::queue::Front;
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
            Self::OldServer { .. } | Self::NewerSchema { .. } | Self::OlderSchema { .. } => FaultKind::SqlError,
            Self::Connect { reason, .. } | Self::Migration { reason, .. } | Self::Other { reason, .. } => reason.kind(),
        }
    }
}

pub(crate) async fn open(options: Options, access: Access) -> Result<PostgresStore, OpenError> {
    let own_name = own_name()?;
    let pooled = connect_options(&options.url, &own_name)?;
    let direct = match &options.listen_url {
        Some(url) => connect_options(url, &own_name)?,
        None => pooled.clone(),
    };
    let place = place(&direct);
    let mut connection = connect(&direct, &place).await?;
    prepare(&mut connection, access).await.map_err(|failure| failure.about(place.clone()))?;
    let secret = secret(&mut connection).await.map_err(|reason| Failure::Sqlx(reason).about(place.clone()))?;
    drop(connection.close().await);
    let (waker, front) = (Arc::new(Waker::default()), Arc::new(Front::default()));
    let connections = Connections::open(pooled, options.connections);
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
fn own_name() -> Result<String, OpenError> {
    let mut random = [0; 4];
    let refused = |error| OpenError::Url(format!("the system has no random numbers: {error}"));
    getrandom::fill(&mut random).map_err(refused)?;
    Ok(format!("search4letters-{:08x}", u32::from_be_bytes(random)))
}

fn connect_options(url: &str, own_name: &str) -> Result<PgConnectOptions, OpenError> {
    // What the parser says may hold parts of the URL, and so of the password.
    let options =
        PgConnectOptions::from_str(url).map_err(|_| OpenError::Url("it is no URL of PostgreSQL".to_owned()))?;
    // Statements are logged at debug level with a formatted copy of each: too dear for a hot path.
    // Each statement is planned for the tables as they are: a plan that is kept is made while they are small, and goes
    // on to read the whole of them when they have grown. A transaction pooler knows nothing of kept statements either.
    Ok(options.application_name(own_name).disable_statement_logging().statement_cache_capacity(0))
}

/// Where a connection leads, without the password.
fn place(options: &PgConnectOptions) -> String {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let (user, port) = (options.get_username(), options.get_port());
    let database = options.get_database().unwrap_or(user);
    format!("the database {database} on {host}:{port} (as {user})")
}

async fn connect(options: &PgConnectOptions, place: &str) -> Result<PgConnection, OpenError> {
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

async fn prepare(connection: &mut PgConnection, access: Access) -> Result<(), Failure> {
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
    // Another process may be at the first migration just now: sqlx makes its own table before, in another transaction.
    let is_there = "select to_regclass('_sqlx_migrations') is not null and to_regclass('compatibility') is not null";
    let is_there = sqlx::query_scalar::<_, bool>(is_there);
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

async fn secret(connection: &mut PgConnection) -> sqlx::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| sqlx::Error::Io(std::io::Error::other(error.to_string())))?;
    sqlx::query!("insert into secret (id, key) values (1, $1) on conflict (id) do nothing", &key[..])
        .execute(&mut *connection)
        .await?;
    let stored = sqlx::query_scalar!("select key from secret where id = 1").fetch_one(connection).await?;
    stored.try_into().map_err(|_| sqlx::Error::Protocol("the secret key has a wrong length".to_owned()))
}

/// An [`OpenError`] before it knows its place.
enum Failure {
    OldServer(String),
    NewerSchema { version: i64, known: i64 },
    OlderSchema { version: i64, known: i64 },
    Migration(StoreError),
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl Failure {
    fn about(self, place: String) -> OpenError {
        match self {
            Self::OldServer(version) => OpenError::OldServer { place, version },
            Self::NewerSchema { version, known } => OpenError::NewerSchema { place, version, known },
            Self::OlderSchema { version, known } => OpenError::OlderSchema { place, version, known },
            Self::Migration(reason) => OpenError::Migration { place, reason },
            Self::Sqlx(error) => OpenError::Other { place, reason: store_error(error) },
        }
    }
}
