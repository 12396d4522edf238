//! Connecting for a copy.

use sqlx::PgConnection;

use crate::Access;
use crate::open::{Failure, OpenError, connect, connect_options, place, prepare, secret};

/// Not like a server's, so that a copy that was killed is not taken for one.
const OWN_NAME: &str = "search4letters copy";

pub(super) async fn source(url: &str) -> Result<PgConnection, OpenError> {
    let options = connect_options(url, OWN_NAME)?;
    let place = place(&options);
    let mut connection = connect(&options, &place).await?;
    let prepared = async {
        prepare(&mut connection, Access::Guest).await?;
        if let Some(from) = unfinished(&mut connection).await? {
            return Err(Failure::UnfinishedCopy { from });
        }
        if is_served(&mut connection).await? {
            return Err(Failure::Served);
        }
        // All that is read is of one moment.
        sqlx::query("begin isolation level repeatable read read only").execute(&mut connection).await?;
        sqlx::query("select 1 from secret").execute(&mut connection).await?;
        Ok(())
    };
    prepared.await.map_err(|failure: Failure| failure.about(place))?;
    Ok(connection)
}

pub(super) async fn target(url: &str) -> Result<PgConnection, OpenError> {
    let options = connect_options(url, OWN_NAME)?;
    let place = place(&options);
    let mut connection = connect(&options, &place).await?;
    prepare(&mut connection, Access::Owner).await.map_err(|failure| failure.about(place.clone()))?;
    secret(&mut connection).await.map_err(|error| Failure::from(error).about(place))?;
    Ok(connection)
}

/// What is being copied into this database; none where it is whole.
pub(crate) async fn unfinished(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select source_name from copy where not finished").fetch_optional(connection).await
}

/// Whether there is a connection of a server to this database.
pub(super) async fn is_served(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
               select 1 from pg_stat_activity
               where datname = current_database() and application_name like 'search4letters-%'
           ) as "is_served!""#
    )
    .fetch_one(connection)
    .await
}
