//! Compares the processor time of our server with that of another build of it, in turns on one machine. Both meet the same
//! noise, so a ratio of one round says more than the figures do.

use std::path::{Path, PathBuf};

use ::tests::server_process::{Installation, workspace_program};
use ::tests::{PostgresCluster, PostgresDatabase};
use anyhow::Context;

use crate::contestant::RunningContestant;
use crate::context::BenchContext;
use crate::log_table::LogTable;
use crate::measurements::Summary;
use crate::report::readable;
use crate::scenarios::{Drained, drained_on_postgres, drained_on_sqlite, in_turn, load};

/// What is compared.
#[derive(Clone, Copy, Debug)]
enum Work {
    SearchOnSqlite,
    SearchOnPostgres,
    DrainedJobOnSqlite,
    DrainedJobOnPostgres,
}

impl Work {
    const ALL: [Self; 4] =
        [Self::SearchOnSqlite, Self::SearchOnPostgres, Self::DrainedJobOnSqlite, Self::DrainedJobOnPostgres];

    fn name(self) -> &'static str {
        match self {
            Self::SearchOnSqlite => "a search, SQLite",
            Self::SearchOnPostgres => "a search, PostgreSQL",
            Self::DrainedJobOnSqlite => "a drained job, SQLite",
            Self::DrainedJobOnPostgres => "a drained job, PostgreSQL",
        }
    }

    /// The processor time of each, in µs, with all that a search causes until its row is written.
    async fn cpu_us(self, context: &BenchContext, program: &Path) -> anyhow::Result<f64> {
        let installation = Installation::new().with_program(program);
        let running = match self {
            Self::DrainedJobOnSqlite => {
                let jobs = jobs_in(context)?;
                return cpu_of_each(drained_on_sqlite(installation, jobs).await?, jobs);
            }
            Self::DrainedJobOnPostgres => {
                let jobs = jobs_in(context)?;
                return cpu_of_each(drained_on_postgres(installation, jobs).await?, jobs);
            }
            Self::SearchOnSqlite => {
                let log = LogTable::Sqlite { file: installation.database(), after: 0 };
                RunningContestant::ours(installation, None, log, &[]).await?
            }
            Self::SearchOnPostgres => {
                let database: PostgresDatabase = PostgresCluster::durable(&[]).await.create_database().await;
                let log = LogTable::Postgres(database.url());
                let installation = installation.with_database(&database.url());
                RunningContestant::ours(installation, Some(database), log, &[]).await?
            }
        };
        let loaded = load(&running, context.measured, None).await;
        running.stop().await?;
        let loaded = loaded?;
        Ok(loaded.cpu.as_secs_f64() * 1e6 / loaded.report.answered_since.max(1) as f64)
    }
}

/// Enough that the start of the server does not count.
const JOBS_A_SECOND: u32 = 20_000;

fn jobs_in(context: &BenchContext) -> anyhow::Result<u32> {
    Ok(JOBS_A_SECOND.saturating_mul(u32::try_from(context.measured.as_secs())?))
}

/// In µs.
fn cpu_of_each(drained: Drained, jobs: u32) -> anyhow::Result<f64> {
    let cpu = drained.cpu.context("ours has its own process")?;
    Ok(cpu.as_secs_f64() * 1e6 / f64::from(jobs))
}

/// One figure for each round.
#[derive(Debug, Default)]
struct Compared {
    before: Vec<f64>,
    now: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    Now,
}

/// Measures `before`, the program of the other build, and our own program. Prints a table of both and of their ratios.
pub(crate) async fn compare(context: &BenchContext, before: &Path) -> anyhow::Result<()> {
    let now: PathBuf = workspace_program("search4letters");
    let mut all: Vec<(Work, Compared)> = Work::ALL.map(|work| (work, Compared::default())).into();
    for round in 0..context.rounds {
        for (work, compared) in &mut all {
            for side in in_turn(&[Side::Before, Side::Now], round) {
                let (program, figures, label) = match side {
                    Side::Before => (before, &mut compared.before, "before"),
                    Side::Now => (&*now, &mut compared.now, "now"),
                };
                context.progress(round, &format!("{}, {label}", work.name()));
                let cpu_us = work.cpu_us(context, program).await?;
                eprintln!("{} µs", readable(cpu_us));
                figures.push(cpu_us);
            }
        }
    }
    print!("{}", table(all.iter().map(|(work, compared)| (work.name(), compared))));
    Ok(())
}

fn table<'a>(all: impl Iterator<Item = (&'static str, &'a Compared)>) -> String {
    let mut text = format!("{:26} {:26} {:26} ratio\n", "processor time of", "before, µs", "now, µs");
    for (name, Compared { before, now }) in all {
        let ratios: Vec<f64> = before.iter().zip(now).map(|(before, now)| now / before).collect();
        let cells = [before, now, &ratios].map(|rounds| Summary::of(rounds).map_or("-".to_owned(), with_range));
        text += &format!("{name:26} {:26} {:26} {}\n", cells[0], cells[1], cells[2]);
    }
    text + "The range is that of the rounds. If that of the ratios holds 1, no difference is shown.\n"
}

fn with_range(Summary { median, least, most }: Summary) -> String {
    format!("{} ({} to {})", readable(median), readable(least), readable(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_each_round() {
        let compared = Compared { before: vec![100.0, 200.0, 50.0], now: vec![80.0, 100.0, 45.0] };
        let text = table([("a search, SQLite", &compared)].into_iter());
        let line = text.lines().nth(1).expect("a line for each work");
        let words: Vec<_> = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        assert_eq!(words, ["a search, SQLite", "100 (50.0 to 200)", "80.0 (45.0 to 100)", "0.800 (0.500 to 0.900)"]);
        assert!(table([("nothing", &Compared::default())].into_iter()).contains('-'));
    }
}
