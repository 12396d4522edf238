//! Answers searches once their record is stored as a job.

use std::net::Ipv4Addr;
use std::sync::Arc;

use apalis::prelude::{TaskBuilder, TaskSink};
use apalis_sqlite::{SqliteStorage, SqliteTask, queries};
use api::Recorded;
use bench::search_function::{self, Keep, Search};
use sqlx::SqlitePool;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::log::{Database, LogRequest, LogWriter};
use crate::{BATCH, Settings};
use crate::{QUEUE, run_sqlite, sqlite_storage};

pub(crate) async fn serve(settings: Settings, port: u16, file: &str) -> anyhow::Result<()> {
    let pool = settings.open_sqlite(file).await?;
    let database = Database::Sqlite(pool.clone());
    database.make_table().await?;
    let pusher = Arc::new(Pusher::new(settings, &pool));
    let keep = move |search: Search| -> std::pin::Pin<Box<dyn Future<Output = Result<Recorded, String>> + Send>> {
        let pusher = pusher.clone();
        Box::pin(async move { pusher.push(search.into()).await.map(|()| Recorded::Accepted) })
    };
    let keep: Arc<Keep> = Arc::new(keep);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let worker = tokio::spawn(run_sqlite(settings, pool, LogWriter::new(settings, database)));
    tokio::select! {
        served = axum::serve(listener, search_function::router(Some(keep))) => served?,
        ended = worker => ended??,
    }
    Ok(())
}

/// Adds jobs.
enum Pusher {
    /// One insert per request.
    Each(SqliteStorage<LogRequest>),
    /// All waiting jobs in one transaction.
    Grouped(mpsc::Sender<(SqliteTask, oneshot::Sender<Result<(), String>>)>),
}

impl Pusher {
    fn new(settings: Settings, pool: &SqlitePool) -> Self {
        if settings == Settings::Default {
            return Self::Each(sqlite_storage(settings, pool));
        }
        let (sender, mut waiting) = mpsc::channel(BATCH);
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut group = Vec::new();
            while waiting.recv_many(&mut group, BATCH).await > 0 {
                let (tasks, callers): (Vec<SqliteTask>, Vec<_>) = group.drain(..).unzip();
                let pushed = push_all(&pool, &tasks).await.map_err(|error| error.to_string());
                for caller in callers {
                    let caller: oneshot::Sender<_> = caller;
                    drop(caller.send(pushed.clone()));
                }
            }
        });
        Self::Grouped(sender)
    }

    async fn push(&self, request: LogRequest) -> Result<(), String> {
        match self {
            Self::Each(storage) => storage.clone().push(request).await.map_err(|error| error.to_string()),
            Self::Grouped(sender) => {
                let (answer, pushed) = oneshot::channel();
                let task = task(&request).map_err(|error| error.to_string())?;
                sender.send((task, answer)).await.map_err(|error| error.to_string())?;
                pushed.await.map_err(|error| error.to_string())?
            }
        }
    }
}

pub(crate) fn task(request: &LogRequest) -> anyhow::Result<SqliteTask> {
    Ok(TaskBuilder::new(serde_json::to_vec(request)?).build())
}

pub(crate) async fn push_all(pool: &SqlitePool, tasks: &[SqliteTask]) -> anyhow::Result<()> {
    let mut transaction = pool.begin_with("begin immediate").await?;
    queries::push_tasks(&mut *transaction, QUEUE, tasks).await?;
    transaction.commit().await?;
    Ok(())
}
