//! Databases with many rows and jobs, made by multiplying those of a real one, and kept in target/bench.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::tests::server_process::Installation;
use anyhow::ensure;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::context::BenchContext;

/// The size of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// Rows in the log.
    pub rows: u32,
    /// Waiting jobs of a paused kind.
    pub jobs: u32,
}

impl History {
    pub(crate) const LONG: Self = Self { rows: 10_000_000, jobs: 1_000_000 };
    pub(crate) const SHORT: Self = Self { rows: 1_000_000, jobs: 0 };

    /// The kept data folder, to be only read. Created if it is missing, which takes some minutes.
    pub(crate) async fn kept(self, context: &BenchContext) -> anyhow::Result<PathBuf> {
        let Self { rows, jobs } = self;
        let name = format!("history-{rows}-{jobs}");
        let (data, made) = (context.folder.join(&name), context.folder.join(format!("{name}.made")));
        if !made.exists() {
            let mb = rows / 5000;
            eprintln!(
                "  making a database of {rows} rows in {} (once, {mb} MB; 10 million take minutes)",
                data.display()
            );
            if data.exists() {
                fs::remove_dir_all(&data)?;
            }
            aged(&Installation::new().with_data(&data), rows, jobs).await?;
            fs::write(made, "")?;
        }
        // An earlier version may have created it.
        let migrated = Installation::new().with_data(&data).run(&["migrate"]).await;
        ensure!(migrated.code == Some(0), "{} cannot be used; remove it: {}", data.display(), migrated.output);
        Ok(data)
    }

    /// A copy that measurements may change, in the folder of the other databases.
    pub(crate) async fn copy(self, context: &BenchContext) -> anyhow::Result<TempDir> {
        let kept = self.kept(context).await?;
        eprintln!("  copying {}", kept.display());
        let copy = TempDir::new()?;
        copy_files(&kept, copy.path())?;
        // Finishes all disk writes before anything is measured.
        rustix::fs::sync();
        Ok(copy)
    }
}

fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The number of rows in one transaction.
const BATCH: u32 = 500_000;
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Leaves an installation with one waiting job, the template of the others.
pub(crate) async fn one_job(installation: &Installation) -> anyhow::Result<()> {
    one_search(installation, &["--no-worker"]).await
}

/// Leaves an installation with one row in its log.
pub(crate) async fn one_row(installation: &Installation) -> anyhow::Result<()> {
    one_search(installation, &[]).await
}

async fn one_search(installation: &Installation, arguments: &[&str]) -> anyhow::Result<()> {
    let server = installation.start(arguments).await;
    let fields = [("phrase", "life, the universe, and everything!"), ("letters", "aeiou")];
    let answer = server.client().post_form("/api/search", &fields).await;
    let is_accepted = answer.as_ref().is_ok_and(|answer| answer.body.contains("\"accepted\""));
    // The server runs its jobs before it ends.
    server.terminate(STOP_TIMEOUT).await;
    ensure!(is_accepted, "the search was not accepted: {answer:?}");
    Ok(())
}

/// Adds `jobs` copies of the first job, and counts them.
pub(crate) async fn multiply_jobs(file: &Path, jobs: u32) -> anyhow::Result<()> {
    let insert = |from: u32, to: u32| {
        format!(
            "with recursive n (i) as (select {from} union all select i + 1 from n where i < {to})
             insert into job (kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
             select kind, printf('00%024d', i), replace(payload, key, printf('00%024d', i)), state, priority,
                    max_attempts, run_at_ms, created_at_ms
             from n, job where job.id = 1;"
        )
    };
    let count = format!(
        "update job_count set count = count + {jobs} where kind = 'log_request' and state = 'waiting';
         update ledger set accepted = accepted + {jobs};"
    );
    in_batches(file, jobs, insert, &count).await
}

/// The same on PostgreSQL, where triggers count.
pub(crate) async fn multiply_jobs_on_postgres(url: &str, jobs: u32) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let insert = format!(
        "insert into job (kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
         select kind, key, replace(payload, first, key), state, priority, max_attempts, run_at_ms, created_at_ms
         from (
             select kind, '00' || lpad(i::text, 24, '0') as key, payload, job.key as first, state, priority,
                    max_attempts, run_at_ms, created_at_ms
             from generate_series(1, {jobs}) as i, job
             where job.id = (select min(id) from job)
         ) as copy"
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await?;
    sqlx::raw_sql("vacuum analyze job").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Creates a database with `rows` log rows, one per second until now, and `jobs` jobs of a paused kind.
pub(crate) async fn aged(installation: &Installation, rows: u32, jobs: u32) -> anyhow::Result<()> {
    one_row(installation).await?;
    let file = installation.database();
    let insert = |from: u32, to: u32| {
        format!(
            "with recursive n (i) as (select {from} union all select i + 1 from n where i < {to})
             insert into log (phrase, letters, ip, browser_string, results, user_agent, search_id, job_id,
                              searched_at_ms, recorded_at_ms)
             select phrase, letters, ip, browser_string, results, user_agent, printf('00%024d', i), job_id,
                    searched_at_ms - ({rows} - i) * 1000, recorded_at_ms - ({rows} - i) * 1000
             from n, log where log.id = 1;"
        )
    };
    let count = format!(
        "update ledger set accepted = accepted + {rows}, recorded = recorded + {rows};
         update log set searched_at_ms = searched_at_ms - {rows} * 1000, recorded_at_ms = recorded_at_ms - {rows} * 1000
         where id = 1;"
    );
    in_batches(&file, rows, insert, &count).await?;
    let insert = |from: u32, to: u32| {
        format!(
            "with recursive n (i) as (select {from} union all select i + 1 from n where i < {to})
             insert into job (kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
             select 'paused', i, payload, 'waiting', priority, max_attempts, run_at_ms, created_at_ms
             from n, job where job.id = 1;"
        )
    };
    let count = format!(
        "insert into job_count (kind, state, count) values ('paused', 'waiting', {jobs});
         insert into job_kind (kind, paused) values ('paused', 1);"
    );
    in_batches(&file, jobs, insert, &count).await
}

async fn in_batches(file: &Path, rows: u32, insert: impl Fn(u32, u32) -> String, count: &str) -> anyhow::Result<()> {
    // This setting is only for this connection: the measured server opens the file with fsync.
    let options =
        SqliteConnectOptions::new().filename(file).pragma("synchronous", "off").pragma("cache_size", "-200000");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for from in (1..=rows).step_by(BATCH as usize) {
        let insert = insert(from, rows.min(from + BATCH - 1));
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await?;
    }
    sqlx::raw_sql(AssertSqlSafe(count)).execute(&mut connection).await?;
    sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut connection).await?;
    connection.close().await?;
    // Finishes all disk writes before anything is measured.
    rustix::fs::sync();
    Ok(())
}
