//! Opening a database for a copy: the lock of its owner, and one connection.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::Mutex;

use crate::OpenError;
use crate::open::{Failure, check, connect_options, known_version, make_folder, migrate, own, secret, write};
use crate::place::Place;
use crate::transfer::SqliteTransfer;

/// Long enough for another program's backup or short transaction to end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn source(file: &Path) -> Result<SqliteTransfer, OpenError> {
    if !file.exists() {
        return Err(OpenError::Missing { file: file.to_owned() });
    }
    let lock = own(file)?;
    let opened = async {
        // Without any of the settings that write to a file.
        let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let mut connection = options.pragma("mmap_size", "0").disable_statement_logging().connect().await?;
        let version = check(&mut connection, file).await?;
        if version < known_version() {
            return Err(Failure::OlderSchema { version, known: known_version() });
        }
        refuse_unfinished(&mut connection).await?;
        // Held to the end, so that what `admin` writes beside us does not get into half of the copy.
        sqlx::query("begin").execute(&mut connection).await?;
        sqlx::query("select 1 from secret").execute(&mut connection).await?;
        Ok((connection, Place::of(file.to_owned()).map_err(sqlx::Error::Io)?))
    };
    let (connection, place) = opened.await.map_err(|failure: Failure| failure.about(file.to_owned()))?;
    Ok(SqliteTransfer { connection: Mutex::new(connection), place, file: file.to_owned(), _lock: lock })
}

pub(super) async fn target(file: &Path) -> Result<SqliteTransfer, OpenError> {
    make_folder(file)?;
    let lock = own(file)?;
    let opened = async {
        let mut connection = connect_options(file).create_if_missing(true).connect().await?;
        check(&mut connection, file).await?;
        migrate(&mut connection).await?;
        write(&mut connection).await?;
        secret(&mut connection).await?;
        Ok((connection, Place::of(file.to_owned()).map_err(sqlx::Error::Io)?))
    };
    let (connection, place) = opened.await.map_err(|failure: Failure| failure.about(file.to_owned()))?;
    Ok(SqliteTransfer { connection: Mutex::new(connection), place, file: file.to_owned(), _lock: lock })
}

/// Half a copy is no database yet.
pub(crate) async fn refuse_unfinished(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let source = sqlx::query_scalar!("select source_name from copy where finished = 0");
    match source.fetch_optional(connection).await? {
        Some(source) => Err(Failure::UnfinishedCopy { source }),
        None => Ok(()),
    }
}
