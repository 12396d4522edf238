//! Finds the triggers that are not ours.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use store::Result;

use crate::connect::BUSY_TIMEOUT;
use crate::error::store_error;

/// A trigger of somebody else may make each write fail, or change what is written. Each is returned with its remedy.
pub async fn foreign_triggers(file: &Path) -> Result<Vec<String>> {
    /// Of this version's schema.
    const OWN: [&str; 5] = ["audit_does_not_change", "audit_stays", "job_deleted", "log_deleted", "log_job_deleted"];
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await.map_err(store_error)?;
    let found = sqlx::query_as::<_, (String, String)>(
        "select name, tbl_name from sqlite_schema where type = 'trigger' order by name",
    );
    let found = found.fetch_all(&mut connection).await.map_err(store_error)?;
    connection.close().await.map_err(store_error)?;
    let foreign = found.into_iter().filter(|(trigger, _)| !OWN.contains(&trigger.as_str()));
    let risk = |(trigger, table)| {
        format!(
            "the table {table} has the trigger {trigger} of somebody else: while it fails, nothing is written there. \
             Remove it, or see that it cannot fail"
        )
    };
    Ok(foreign.map(risk).collect())
}
