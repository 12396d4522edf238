//! Measures how fast waiting jobs are run.

use std::io::Write as _;
use std::time::Duration;

use apalis::prelude::{BackendExt, TaskBuilder, WorkerBuilder, WorkerBuilderExt};
use apalis_postgres::{PostgresStorage, queries};
use api::SearchId;
use bench::search_function::Search;
use sqlx::PgPool;

use crate::accept::{push_all, task};
use crate::log::{Database, LogRequest, LogWriter};
use crate::{BATCH, INTERVAL, Settings};
use crate::{QUEUE, log_request, run_sqlite};

/// Far longer than a batch takes, so that polling costs nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) async fn sqlite(settings: Settings, file: &str, jobs: u32) -> anyhow::Result<()> {
    let pool = settings.open_sqlite(file).await?;
    let database = Database::Sqlite(pool.clone());
    database.make_table().await?;
    let requests: Vec<u32> = (0..jobs).collect();
    for batch in requests.chunks(BATCH) {
        let tasks = batch.iter().map(|number| task(&request(*number))).collect::<anyhow::Result<Vec<_>>>()?;
        push_all(&pool, &tasks).await?;
    }
    let worker = run_sqlite(settings, pool, LogWriter::new(settings, database.clone()));
    until_drained(&database, jobs, worker).await
}

pub(crate) async fn postgres(settings: Settings, url: &str, jobs: u32) -> anyhow::Result<()> {
    let pool = PgPool::connect(url).await?;
    PostgresStorage::setup(&pool).await?;
    let database = Database::Postgres(pool.clone());
    database.make_table().await?;
    let requests: Vec<u32> = (0..jobs).collect();
    for batch in requests.chunks(BATCH) {
        let tasks = batch.iter().map(|number| Ok(TaskBuilder::new(serde_json::to_vec(&request(*number))?).build()));
        let tasks = tasks.collect::<anyhow::Result<Vec<_>>>()?;
        queries::push_tasks(&mut *pool.acquire().await?, QUEUE, tasks).await?;
    }
    let worker = run_postgres(settings, pool, LogWriter::new(settings, database.clone()));
    until_drained(&database, jobs, worker).await
}

async fn run_postgres(settings: Settings, pool: PgPool, log: LogWriter) -> anyhow::Result<()> {
    let config = apalis_postgres::Config::default().queue(QUEUE);
    let storage = PostgresStorage::<LogRequest>::new(&pool);
    let worker = WorkerBuilder::new("bench");
    match settings {
        Settings::Default => {
            worker.backend(storage.with_config(config)).data(log).build(log_request).run().await?;
        }
        Settings::Best => {
            let config = config.batch_size(BATCH).lock_tasks(false);
            let storage = storage.with_config(config).poll_with_interval(INTERVAL);
            worker.backend(storage).data(log).concurrency(settings.concurrency()).build(log_request).run().await?;
        }
    }
    Ok(())
}

/// The record of an ordinary web search.
fn request(number: u32) -> LogRequest {
    Search {
        id: SearchId::from_parts(0, u128::from(number)),
        phrase: "life, the universe, and everything!".to_owned(),
        letters: "aeiou".to_owned(),
        results: "{'e', 'i', 'u'}".to_owned(),
    }
    .into()
}

async fn until_drained(
    database: &Database,
    jobs: u32,
    worker: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    say("pushed");
    let drained = async {
        while database.done().await? < i64::from(jobs) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        say("drained");
        // Stays alive so that the bench can read its resource use.
        std::future::pending::<()>().await;
        Ok(())
    };
    tokio::select! {
        ended = worker => ended,
        ended = drained => ended,
    }
}

fn say(word: &str) {
    println!("{word}");
    drop(std::io::stdout().flush());
}
