//! Jobs that wait, and how fast they become rows.

use std::time::Duration;

use tempfile::TempDir;
use tests::PostgresCluster;
use tests::server_process::{Installation, workspace_program};
use tokio::process::Command;

use super::plain_inserts;
use super::{PlotOf, Scenario, in_turn, noted};
use crate::book::{Book, Kind};
use crate::drain_peer::{Drained, drain_peer};
use crate::log_table::LogTable;
use crate::schedule::rounds_of;
use crate::site::{Running, postmaster};
use crate::waiting;
use crate::workshop::Workshop;

const NAME: &str = "drain";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Drain",
    method: "Log jobs wait before a worker is started; the figure counts from the first row until the last job is done. \
             Each job writes its own row. Ours keeps an attempt of each job besides, and the counts of the dashboard. \
             \"plain inserts\" write the same rows, one statement each and 1,000 to a transaction, and are no queue. \
             From apalis-sqlite at its best one index is taken away, with which it gets slower with each job. All but its \
             default wait for the disk at each commit (`synchronous=full`, `fsync=on`).",
    promises: &[],
    plots: &[PlotOf { what: "rate", file: "drain.svg", title: "Waiting jobs run" }],
    lasts: |workshop| rounds_of(workshop, 11 * (2 * workshop.measured.as_secs() + 5)),
    measure: |workshop, book| Box::pin(measure(workshop, book)),
};

const RATE: Kind = ("rate", "jobs/s");
const CPU: Kind = ("CPU of each", "µs");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    OursSqlite,
    OursPostgres,
    ApalisSqlite(&'static str),
    ApalisPostgres(&'static str),
    PlainSqlite,
    PlainPostgres,
    Huey,
    Procrastinate,
    GraphileWorker,
}

const ALL: &[Queue] = &[
    Queue::OursSqlite,
    Queue::ApalisSqlite("best"),
    Queue::ApalisSqlite("default"),
    Queue::Huey,
    Queue::PlainSqlite,
    Queue::OursPostgres,
    Queue::ApalisPostgres("best"),
    Queue::ApalisPostgres("default"),
    Queue::GraphileWorker,
    Queue::Procrastinate,
    Queue::PlainPostgres,
];

impl Queue {
    fn name(self) -> String {
        match self {
            Self::OursSqlite => "ours, SQLite".to_owned(),
            Self::OursPostgres => "ours, PostgreSQL".to_owned(),
            Self::ApalisSqlite(settings) => format!("apalis-sqlite, {settings}"),
            Self::ApalisPostgres(settings) => format!("apalis-postgres, {settings}"),
            Self::PlainSqlite => "plain inserts, SQLite".to_owned(),
            Self::PlainPostgres => "plain inserts, PostgreSQL".to_owned(),
            Self::Huey => "huey, SQLite".to_owned(),
            Self::Procrastinate => "procrastinate, PostgreSQL".to_owned(),
            Self::GraphileWorker => "graphile-worker, PostgreSQL".to_owned(),
        }
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::OursSqlite | Self::OursPostgres)
    }

    /// So many that each is busy for about as long, on a machine of today.
    fn jobs_a_second(self) -> u32 {
        match self {
            Self::OursSqlite | Self::PlainSqlite | Self::PlainPostgres | Self::OursPostgres => 20_000,
            Self::ApalisSqlite("best") | Self::ApalisPostgres("best") => 10_000,
            Self::GraphileWorker => 1_000,
            Self::ApalisSqlite(_) | Self::ApalisPostgres(_) | Self::Huey | Self::Procrastinate => 300,
        }
    }

    async fn drain(self, workshop: &Workshop, jobs: u32) -> anyhow::Result<Drained> {
        let folder = TempDir::new()?;
        let file = folder.path().join("log.db");
        let log = LogTable::Sqlite { file: file.clone(), after: 0 };
        let count = jobs.to_string();
        let scripts = workshop.root.join("tests/bench/queues");
        let (python, apalis) = (workshop.folder.join("python/bin/python"), workspace_program("bench-apalis"));
        match self {
            Self::OursSqlite => ours_on_sqlite(jobs).await,
            Self::OursPostgres => ours_on_postgres(jobs).await,
            Self::PlainSqlite => plain_inserts::sqlite(&file, jobs).await,
            Self::ApalisSqlite(settings) => {
                let mut command = Command::new(apalis);
                command.args(["drain", "sqlite", settings]).arg(&file).arg(count);
                drain_peer(command, &log, jobs, None).await
            }
            Self::Huey => {
                let mut command = Command::new(python);
                command.arg(scripts.join("huey_queue.py")).arg(&file).arg(count);
                drain_peer(command, &log, jobs, None).await
            }
            Self::PlainPostgres | Self::ApalisPostgres(_) | Self::Procrastinate | Self::GraphileWorker => {
                let database = PostgresCluster::durable(&[]).await.create_database().await;
                let (url, postmaster) = (database.url(), postmaster(database.cluster())?);
                let log = LogTable::Postgres(url.clone());
                let mut command = match self {
                    Self::PlainPostgres => return plain_inserts::postgres(&url, jobs).await,
                    Self::ApalisPostgres(settings) => {
                        let mut command = Command::new(apalis);
                        command.args(["drain", "postgres", settings]);
                        command
                    }
                    Self::Procrastinate => {
                        let mut command = Command::new(python);
                        command.arg(scripts.join("procrastinate_queue.py"));
                        command
                    }
                    _ => {
                        let mut command = Command::new("node");
                        command.arg(scripts.join("graphile_queue.js"));
                        command.env("NODE_PATH", workshop.folder.join("node/node_modules"));
                        command
                    }
                };
                command.arg(url).arg(count);
                drain_peer(command, &log, jobs, Some(postmaster)).await
            }
        }
    }
}

async fn measure(workshop: &Workshop, book: &mut Book) -> anyhow::Result<()> {
    let seconds = u32::try_from(workshop.measured.as_secs()).unwrap_or(u32::MAX);
    for round in 0..workshop.rounds {
        for queue in in_turn(ALL, round) {
            let jobs = queue.jobs_a_second().saturating_mul(seconds);
            workshop.progress(round, &format!("{}, {jobs} jobs", queue.name()));
            let outcome = queue.drain(workshop, jobs).await;
            let outcome = noted(book, (NAME, &queue.name()), queue.is_ours(), round, outcome)?;
            let Some(Drained { time, cpu }) = outcome else { continue };
            let rate = f64::from(jobs) / time.as_secs_f64();
            if let Some(cpu) = cpu {
                book.add(NAME, &queue.name(), CPU, cpu.as_secs_f64() * 1e6 / f64::from(jobs));
            }
            book.add(NAME, &queue.name(), RATE, rate);
            eprintln!("{rate:.0} jobs/s");
        }
    }
    Ok(())
}

async fn ours_on_sqlite(jobs: u32) -> anyhow::Result<Drained> {
    let installation = Installation::new();
    waiting::one_job(&installation).await?;
    // The one that is the pattern waits as well.
    waiting::multiply_jobs(&installation.database(), jobs - 1).await?;
    let log = LogTable::Sqlite { file: installation.database(), after: 0 };
    ours(Running::ours(installation, None, log, &[]).await?, Duration::ZERO, jobs).await
}

async fn ours_on_postgres(jobs: u32) -> anyhow::Result<Drained> {
    let database = PostgresCluster::durable(&[]).await.create_database().await;
    let url = database.url();
    let installation = Installation::new().with_database(&url);
    waiting::one_job(&installation).await?;
    waiting::multiply_jobs_on_postgres(&url, jobs - 1).await?;
    let before = crate::processes::Family::of([postmaster(database.cluster())?]).cpu();
    let running = Running::ours(installation, Some(database), LogTable::Postgres(url), &[]).await?;
    ours(running, before, jobs).await
}

/// Its jobs are being run already, so all of its processor time counts but for what the database has used before.
async fn ours(running: Running, cpu_before: Duration, jobs: u32) -> anyhow::Result<Drained> {
    let written = running.log.settle(jobs.into()).await?;
    let cpu = running.family.cpu().saturating_sub(cpu_before);
    running.stop().await?;
    Drained::of(written, jobs, Some(cpu))
}
