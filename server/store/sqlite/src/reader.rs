//! The connections that read: bounded in number, and unable to write.

use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use store::Result;

use crate::error::store_error;

/// Who waits this long for a connection is told that the database does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn pool(options: SqliteConnectOptions, readers: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(readers.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A local file cannot lose its connection; the test would double the cost of a small read.
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "on"))
}

pub(crate) async fn ping(readers: &SqlitePool) -> Result<()> {
    sqlx::query_scalar!("select count(*) from job_count").fetch_one(readers).await.map_err(store_error)?;
    Ok(())
}
