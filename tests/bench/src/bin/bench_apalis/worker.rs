//! The worker: one job writes one row.

use apalis::prelude::{BackendExt, BoxDynError, Data, WorkerBuilder, WorkerBuilderExt};
use apalis_sqlite::SqliteStorage;
use sqlx::SqlitePool;

use crate::log::{LogRequest, LogWriter};
use crate::settings::{BATCH, INTERVAL, Settings};

/// The queue's name.
pub(crate) const QUEUE: &str = "log_request";

pub(crate) async fn log_request(request: LogRequest, log: Data<LogWriter>) -> Result<(), BoxDynError> {
    log.write(request).await.map_err(Into::into)
}

pub(crate) fn sqlite_storage(settings: Settings, pool: &SqlitePool) -> SqliteStorage<LogRequest> {
    let config = apalis_sqlite::Config::default().queue(QUEUE);
    let storage = SqliteStorage::new(pool);
    match settings {
        Settings::Default => storage.with_config(config),
        // Results must be kept: without them no job is ever done, and all are run again after a restart.
        Settings::Best => storage.with_config(config.batch_size(BATCH).lock_tasks(false)),
    }
}

/// Runs until it breaks down.
pub(crate) async fn run_sqlite(settings: Settings, pool: SqlitePool, log: LogWriter) -> anyhow::Result<()> {
    let storage = sqlite_storage(settings, &pool);
    let worker = WorkerBuilder::new("bench");
    match settings {
        Settings::Default => worker.backend(storage).data(log).build(log_request).run().await?,
        Settings::Best => {
            let storage = storage.poll_with_interval(INTERVAL);
            worker.backend(storage).data(log).concurrency(settings.concurrency()).build(log_request).run().await?;
        }
    }
    Ok(())
}
