//! Connects to the database.

use std::str::FromStr;
use std::time::Duration;

use api::FaultKind;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use store::StoreError;

use crate::error::store_error;
use crate::open_error::{OpenError, OpenFailure};
use crate::session::{Session, Use, lift_timeouts};
use crate::surroundings::Surroundings;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/postgres");

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Another process may be running a long migration.
const MIGRATE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// A name that distinguishes this process's connections from all others, also on the server.
pub(crate) fn own_name() -> Result<String, OpenError> {
    let mut random = [0; 4];
    let refused = |error| OpenError::Url(format!("the system has no random numbers: {error}"));
    getrandom::fill(&mut random).map_err(refused)?;
    Ok(format!("search4letters-{:08x}", u32::from_be_bytes(random)))
}

pub(crate) fn connect_options(url: &str, own_name: &str) -> Result<PgConnectOptions, OpenError> {
    // The parser's error may contain parts of the URL, and so of the password.
    let options =
        PgConnectOptions::from_str(url).map_err(|_| OpenError::Url("it is no URL of PostgreSQL".to_owned()))?;
    // Logging statements formats a copy of each, which is too slow for a hot path. Poolers refuse parameters that they
    // do not know, and no column is a floating-point number.
    Ok(options.application_name(own_name).extra_float_digits(None).disable_statement_logging())
}

/// Where a connection leads, without the password.
pub(crate) fn location(options: &PgConnectOptions) -> String {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let (user, port) = (options.get_username(), options.get_port());
    let database = options.get_database().unwrap_or(user);
    format!("the database {database} on {host}:{port} (as {user})")
}

pub(crate) async fn connect(options: &PgConnectOptions, location: &str) -> Result<PgConnection, OpenError> {
    let outcome = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
    let error = match outcome {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(error)) => error,
        Err(_) => {
            return Err(OpenError::Connect {
                location: location.to_owned(),
                reason: StoreError::Connection(format!("it has not answered for {CONNECT_TIMEOUT:?}")),
                fix: "See that the server does not hang, that the host and the port are its own, and that no firewall \
                      drops the packets"
                    .to_owned(),
            });
        }
    };
    let fix = match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some("3D000") => {
            format!("Make it: createdb {}", options.get_database().unwrap_or_else(|| options.get_username()))
        }
        Some("55000") => {
            let name = options.get_database().unwrap_or_else(|| options.get_username());
            format!(
                "Connected to another database, as its owner run `alter database \"{name}\" allow_connections true`"
            )
        }
        Some("53300") => "See in pg_stat_activity what holds them".to_owned(),
        Some(code) if code.starts_with("28") => {
            "See the user and the password in DATABASE_URL, and the server's pg_hba.conf".to_owned()
        }
        _ => "See that the server runs and listens there, and that no firewall stands between".to_owned(),
    };
    Err(OpenError::Connect { location: location.to_owned(), reason: store_error(error), fix })
}

/// The schema version of this program.
pub(crate) fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Gives the connection our settings. Refuses a database that does not meet the demand.
pub(crate) async fn begin_session(connection: &mut PgConnection, demand: Demand) -> Result<Session, OpenFailure> {
    lift_timeouts(connection).await?;
    let surroundings = Surroundings::look(connection).await?;
    if demand == Demand::KeepsPromises {
        surroundings.refuse_unfit()?;
    }
    let session = surroundings.session()?;
    session.set(connection, Use::Administration).await?;
    Ok(session)
}

/// What a database must be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// For searches, or to become a copy.
    KeepsPromises,
    /// To be copied.
    Source,
}

/// Checks the schema that `session` leads to, and migrates if `access` allows it.
pub(crate) async fn prepare(
    connection: &mut PgConnection,
    session: &Session,
    access: Access,
) -> Result<(), OpenFailure> {
    let (version, oldest) = versions(connection).await?;
    let known = known_version();
    if version > known && oldest > known {
        return Err(OpenFailure::NewerSchema { version, known });
    }
    if version == 0 {
        refuse_foreign_names(connection, &session.schema).await?;
    }
    if version < known {
        if version == 0 || access == Access::Owner {
            refuse_missing_right(connection, &session.schema).await?;
        }
        match access {
            Access::Owner => migrate(connection).await?,
            Access::Guest if version == 0 => return Err(OpenFailure::Empty),
            Access::Guest => return Err(OpenFailure::OlderSchema { version, known }),
        }
    }
    // After a restore into another cluster, transaction ids may be smaller than before.
    let restored = "update folded set up_to = '0' where up_to > pg_snapshot_xmax(pg_current_snapshot())";
    sqlx::query(restored).execute(connection).await?;
    Ok(())
}

/// The schema's version, and the oldest schema version that a program must know to use it.
async fn versions(connection: &mut PgConnection) -> Result<(i64, i64), OpenFailure> {
    // Another process may be running the first migration: sqlx makes its own table before ours.
    let exists = sqlx::query_scalar::<_, bool>(
        "select to_regclass('_sqlx_migrations') is not null and to_regclass('compatibility') is not null",
    );
    if !exists.fetch_one(&mut *connection).await? {
        return refuse_foreign_migrations(connection).await.map(|()| (0, 0));
    }
    let versions = "select (select coalesce(max(version), 0) from _sqlx_migrations where success),
                           (select coalesce(max(oldest_schema), 0) from compatibility)";
    Ok(sqlx::query_as(versions).fetch_one(connection).await?)
}

/// Our first migration and its line are one commit. Lines without our tables are another program's.
async fn refuse_foreign_migrations(connection: &mut PgConnection) -> Result<(), OpenFailure> {
    let exists = sqlx::query_scalar::<_, bool>("select to_regclass('_sqlx_migrations') is not null");
    let foreign = sqlx::query_scalar::<_, bool>(
        "select exists (select 1 from _sqlx_migrations) and to_regclass('compatibility') is null",
    );
    if exists.fetch_one(&mut *connection).await? && foreign.fetch_one(connection).await? {
        let reason = "its table _sqlx_migrations belongs to another program. Give this program a database of its own";
        return Err(OpenFailure::Unfit { kind: FaultKind::SqlError, reason: reason.to_owned() });
    }
    Ok(())
}

/// Each migration is a transaction of its own: one that fails because of a foreign table would leave half a schema.
async fn refuse_foreign_names(connection: &mut PgConnection, schema: &str) -> Result<(), OpenFailure> {
    // One statement, one state: another process may be running our first migration.
    let taken = sqlx::query_scalar::<_, Vec<String>>(
        "select array(
             select relname::text from pg_class where relnamespace = to_regnamespace($1) and relname = any($2)
             union select typname::text from pg_type where typnamespace = to_regnamespace($1) and typname = any($2)
             union select proname::text from pg_proc where pronamespace = to_regnamespace($1) and proname = any($2)
             order by 1
         )
         where to_regclass('compatibility') is null",
    );
    let taken = taken.bind(schema).bind(names_made()).fetch_optional(connection).await?.unwrap_or_default();
    if taken.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "its schema {schema} has something of another program where this one makes its own: {}. Nothing was changed. Give \
         this program another database, or a schema of its own: `create schema search4letters`, and in the URL \
         ?options=-c%20search_path%3Dsearch4letters",
        taken.join(", ")
    );
    Err(OpenFailure::Unfit { kind: FaultKind::SqlError, reason })
}

/// The tables, indexes and functions that the migrations make.
fn names_made() -> Vec<String> {
    const MADE: [&str; 5] =
        ["create table ", "create index ", "create unique index ", "create function ", "create or replace function "];
    let lines = MIGRATIONS.iter().flat_map(|migration| migration.sql.as_str().lines());
    let made = lines.filter_map(|line| MADE.iter().find_map(|start| line.strip_prefix(start)));
    made.filter_map(|rest| rest.split([' ', '(']).next()).map(ToOwned::to_owned).collect()
}

/// Refuses a user who may not create tables in the schema.
async fn refuse_missing_right(connection: &mut PgConnection, schema: &str) -> Result<(), OpenFailure> {
    let may_create = sqlx::query_as::<_, (bool, String)>(
        "select has_schema_privilege(to_regnamespace($1)::oid, 'create'), quote_ident(current_user)",
    );
    let (may_create, user) = may_create.bind(schema).fetch_one(connection).await?;
    if may_create {
        return Ok(());
    }
    let reason = format!(
        "its user {user} may not create tables in the schema {schema}. As the schema's owner run \
         `grant usage, create on schema {schema} to {user}`, or run `search4letters migrate` as a user who may"
    );
    Err(OpenFailure::Unfit { kind: FaultKind::CredentialsError, reason })
}

/// sqlx holds a lock, so processes that start together migrate one at a time.
async fn migrate(connection: &mut PgConnection) -> Result<(), OpenFailure> {
    let migrator = Migrator { ignore_missing: true, ..Migrator::with_migrations(MIGRATIONS.iter().cloned().collect()) };
    // Not `run`: its future is not Send for a borrowed connection.
    let outcome = tokio::time::timeout(MIGRATE_TIMEOUT, migrator.run_direct(None, connection, false)).await;
    outcome.unwrap_or(Err(MigrateError::Execute(sqlx::Error::PoolTimedOut))).map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            OpenFailure::Migration(store_error(error))
        }
        error => OpenFailure::Migration(StoreError::Sql(error.to_string())),
    })
}

pub(crate) async fn read_or_make_secret(connection: &mut PgConnection) -> sqlx::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| sqlx::Error::Io(std::io::Error::other(error.to_string())))?;
    sqlx::query!("insert into secret (id, key) values (1, $1) on conflict (id) do nothing", &key[..])
        .execute(&mut *connection)
        .await?;
    let stored = sqlx::query_scalar!("select key from secret where id = 1").fetch_one(connection).await?;
    stored.try_into().map_err(|_| sqlx::Error::Protocol("the secret key has a wrong length".to_owned()))
}

/// Whether the schema may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For processes that run jobs: brings the schema up to date, one process at a time.
    Owner,
    /// For commands beside them: refuses an older schema.
    Guest,
}

/// A server must not open an unfinished copy.
pub(crate) async fn refuse_unfinished_copy(connection: &mut PgConnection) -> Result<(), OpenFailure> {
    let source = sqlx::query_scalar!("select source_name from copy where not finished");
    match source.fetch_optional(connection).await? {
        Some(source) => Err(OpenFailure::UnfinishedCopy { source }),
        None => Ok(()),
    }
}

/// The database's name, which every user of it sees alike.
pub(crate) async fn identity(connection: &mut PgConnection) -> sqlx::Result<String> {
    sqlx::query_scalar("select current_database()::text").fetch_one(connection).await
}
