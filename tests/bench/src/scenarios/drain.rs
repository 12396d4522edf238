//! How fast waiting jobs become rows.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ::tests::PostgresCluster;
use ::tests::server_process::{Installation, workspace_program};
use anyhow::{Context, anyhow, ensure};
use bench::now;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::contestant::{RunningContestant, postmaster};
use crate::context::BenchContext;
use crate::history;
use crate::log_table::{LogTable, Written};
use crate::measurements::{Kind, Measurements};
use crate::processes::ProcessTree;
use crate::scenarios::{PlotOf, Scenario, in_turn, noted, rounds_of};

const NAME: &str = "drain";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Drain",
    method: "Log jobs wait before a worker is started; the figure counts from the first row until the last job is done. \
             Each job writes its own row. Ours keeps who ran each job and when besides, and the counts of the dashboard. \
             \"plain inserts\" write the same rows, one statement each and 1,000 to a transaction, and are no queue. \
             From apalis-sqlite at its best one index is taken away, with which it gets slower with each job. All but the \
             defaults of apalis-sqlite and plainjob wait for the disk at each commit (`synchronous=full`, `fsync=on`). \
             graphile-worker, pg-boss and huey run with the fastest settings that their documentation names.",
    promises: &[],
    plots: &[PlotOf { what: "rate", file: "drain.svg", title: "Waiting jobs run" }],
    lasts: |context| rounds_of(context, 14 * (2 * context.measured.as_secs() + 5)),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
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
    PgBoss,
    Plainjob(&'static str),
}

const ALL: &[Queue] = &[
    Queue::OursSqlite,
    Queue::ApalisSqlite("best"),
    Queue::ApalisSqlite("default"),
    Queue::Huey,
    Queue::Plainjob("durable"),
    Queue::Plainjob("default"),
    Queue::PlainSqlite,
    Queue::OursPostgres,
    Queue::ApalisPostgres("best"),
    Queue::ApalisPostgres("default"),
    Queue::GraphileWorker,
    Queue::PgBoss,
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
            Self::PgBoss => "pg-boss, PostgreSQL".to_owned(),
            Self::Plainjob(settings) => format!("plainjob, SQLite, {settings}"),
        }
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::OursSqlite | Self::OursPostgres)
    }

    /// The number of jobs that a current machine runs in a second.
    fn jobs_a_second(self) -> u32 {
        match self {
            Self::OursSqlite | Self::PlainSqlite | Self::PlainPostgres | Self::OursPostgres => 20_000,
            Self::ApalisSqlite("best") | Self::ApalisPostgres("best") => 10_000,
            Self::GraphileWorker | Self::PgBoss | Self::Plainjob("default") => 2_000,
            Self::Plainjob(_) | Self::ApalisSqlite(_) | Self::ApalisPostgres(_) | Self::Huey | Self::Procrastinate => {
                300
            }
        }
    }

    async fn drain(self, context: &BenchContext, jobs: u32) -> anyhow::Result<Drained> {
        let folder = TempDir::new()?;
        let file = folder.path().join("log.db");
        let log = LogTable::Sqlite { file: file.clone(), after: 0 };
        let count = jobs.to_string();
        let scripts = context.root.join("tests/bench/queues");
        let (python, apalis) = (context.folder.join("python/bin/python"), workspace_program("bench-apalis"));
        let node = |script: &str| {
            let mut command = Command::new("node");
            command.arg(scripts.join(script)).env("NODE_PATH", context.folder.join("node/node_modules"));
            command
        };
        match self {
            Self::OursSqlite => drained_on_sqlite(Installation::new(), jobs).await,
            Self::OursPostgres => drained_on_postgres(Installation::new(), jobs).await,
            Self::PlainSqlite => plain_inserts_on_sqlite(&file, jobs).await,
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
            Self::Plainjob(settings) => {
                let mut command = node("plainjob_queue.js");
                command.arg(settings).arg(&file).arg(count);
                drain_peer(command, &log, jobs, None).await
            }
            Self::PlainPostgres
            | Self::ApalisPostgres(_)
            | Self::Procrastinate
            | Self::GraphileWorker
            | Self::PgBoss => {
                let database = PostgresCluster::durable(&[]).await.create_database().await;
                let (url, postmaster) = (database.url(), postmaster(database.cluster())?);
                let log = LogTable::Postgres(url.clone());
                let mut command = match self {
                    Self::PlainPostgres => return plain_inserts_on_postgres(&url, jobs).await,
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
                    Self::PgBoss => node("pgboss_queue.js"),
                    _ => node("graphile_queue.js"),
                };
                command.arg(url).arg(count);
                drain_peer(command, &log, jobs, Some(postmaster)).await
            }
        }
    }
}

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let seconds = u32::try_from(context.measured.as_secs()).unwrap_or(u32::MAX);
    for round in 0..context.rounds {
        for queue in in_turn(ALL, round) {
            let jobs = queue.jobs_a_second().saturating_mul(seconds);
            context.progress(round, &format!("{}, {jobs} jobs", queue.name()));
            let outcome = queue.drain(context, jobs).await;
            let outcome = noted(measurements, (NAME, &queue.name()), queue.is_ours(), round, outcome)?;
            let Some(Drained { time, cpu }) = outcome else { continue };
            let rate = f64::from(jobs) / time.as_secs_f64();
            if let Some(cpu) = cpu {
                measurements.add(NAME, &queue.name(), CPU, cpu.as_secs_f64() * 1e6 / f64::from(jobs));
            }
            measurements.add(NAME, &queue.name(), RATE, rate);
            eprintln!("{rate:.0} jobs/s");
        }
    }
    Ok(())
}

/// Drains so many jobs from our server's new file.
pub(crate) async fn drained_on_sqlite(installation: Installation, jobs: u32) -> anyhow::Result<Drained> {
    history::one_job(&installation).await?;
    // The template job waits as well.
    history::multiply_jobs(&installation.database(), jobs - 1).await?;
    let log = LogTable::Sqlite { file: installation.database(), after: 0 };
    ours(RunningContestant::ours(installation, None, log, &[]).await?, Duration::ZERO, jobs).await
}

/// The same from a new PostgreSQL server.
pub(crate) async fn drained_on_postgres(installation: Installation, jobs: u32) -> anyhow::Result<Drained> {
    let database = PostgresCluster::durable(&[]).await.create_database().await;
    let url = database.url();
    let installation = installation.with_database(&url);
    history::one_job(&installation).await?;
    history::multiply_jobs_on_postgres(&url, jobs - 1).await?;
    let before = crate::processes::ProcessTree::of([postmaster(database.cluster())?]).cpu();
    let running = RunningContestant::ours(installation, Some(database), LogTable::Postgres(url), &[]).await?;
    ours(running, before, jobs).await
}

/// Its jobs already run, so all its processor time counts, except what the database used before.
async fn ours(running: RunningContestant, cpu_before: Duration, jobs: u32) -> anyhow::Result<Drained> {
    let written = running.log.settle(jobs.into()).await?;
    let cpu = running.processes.cpu().saturating_sub(cpu_before);
    running.stop().await?;
    Drained::of(written, jobs, Some(cpu))
}

/// Time limit of a peer.
const LONGEST_DRAIN: Duration = Duration::from_secs(15 * 60);

/// How long jobs took to become rows.
pub(crate) struct Drained {
    /// From the first row until the last job was done.
    pub time: Duration,
    /// Processor time of all participants; `None` if it cannot be separated from the bench's own.
    pub cpu: Option<Duration>,
}

impl Drained {
    /// Fails unless there are as many rows as jobs.
    pub(crate) fn of(written: Written, jobs: u32, cpu: Option<Duration>) -> anyhow::Result<Self> {
        ensure!(written.rows == u64::from(jobs), "{jobs} jobs have written {} rows", written.rows);
        // Times are stored in milliseconds; at least one has passed.
        let (first, last) = written.first.zip(written.last).context("there are rows")?;
        Ok(Self { time: last.saturating_sub(first).max(Duration::from_millis(1)), cpu })
    }
}

/// Runs the program. `database` is the id of a database process that works for it.
pub(crate) async fn drain_peer(
    mut command: Command,
    log: &LogTable,
    jobs: u32,
    database: Option<u32>,
) -> anyhow::Result<Drained> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let mut lines = BufReader::new(child.stdout.take().context("piped above")?).lines();
    let processes = ProcessTree::of(child.id().into_iter().chain(database).collect::<Vec<_>>());
    let mut says = async |word: &str| {
        while let Some(line) = timeout(LONGEST_DRAIN, lines.next_line()).await?? {
            if line == word {
                return Ok(());
            }
        }
        Err(anyhow!("it has ended before it said {word}").context(format!("{command:?}")))
    };
    says("pushed").await?;
    let before = processes.cpu();
    says("drained").await?;
    let (drained, cpu) = (now(), processes.cpu().saturating_sub(before));
    // A job is done once its queue has recorded that, which may be later than its row.
    let written = Written { last: Some(drained), ..log.settle(jobs.into()).await? };
    child.kill().await?;
    Drained::of(written, jobs, Some(cpu))
}

const TO_A_TRANSACTION: u32 = 1000;
const INSERT: &str = "insert into log (phrase, letters, ip, browser_string, results, user_agent, search_id, job_id, \
                      searched_at_ms, recorded_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// In a macro, because the two databases' connections are of different types.
macro_rules! insert_all {
    ($connection:expr, $jobs:expr) => {{
        let begin = Instant::now();
        for first in (0..$jobs).step_by(TO_A_TRANSACTION as usize) {
            let mut transaction = $connection.begin().await?;
            for number in first..$jobs.min(first + TO_A_TRANSACTION) {
                sqlx::query(INSERT)
                    .bind("life, the universe, and everything!")
                    .bind("aeiou")
                    .bind("127.0.0.1")
                    .bind("Firefox")
                    .bind("{'e', 'i', 'u'}")
                    .bind("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
                    .bind(format!("{number:026}"))
                    .bind(i64::from(number))
                    .bind(1_800_000_000_000_i64)
                    .bind(1_800_000_000_000_i64)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        Ok(Drained { time: begin.elapsed(), cpu: None })
    }};
}

async fn plain_inserts_on_sqlite(file: &Path, jobs: u32) -> anyhow::Result<Drained> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(include_str!("../../../../migrations/sqlite/0002_log.sql")).execute(&mut connection).await?;
    insert_all!(connection, jobs)
}

async fn plain_inserts_on_postgres(url: &str, jobs: u32) -> anyhow::Result<Drained> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(include_str!("../../../../migrations/postgres/0002_log.sql")).execute(&mut connection).await?;
    insert_all!(connection, jobs)
}
