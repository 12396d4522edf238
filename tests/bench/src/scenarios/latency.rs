//! How long an answer takes, with and without a log.

use std::io::Write as _;
use std::time::{Duration, Instant};

use ::tests::server_process::Installation;
use bench::load::Latency;

use crate::contestant::{Contestant, RunningContestant};
use crate::context::BenchContext;
use crate::history;
use crate::log_table::LogTable;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::{PlotOf, Scenario, in_turn, load, noted, rounds_of};

pub(crate) const NAME: &str = "latency";
/// Searches per second: far below any contestant's maximum, so that nothing queues up.
const RATE: f64 = 1000.0;
/// How many jobs wait in one of the databases.
const WAITING: u32 = 1_000_000;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Latency of a search",
    method: "1,000 searches a second at fixed times over 64 connections, whatever the answers do; the time counts from \
             the moment at which a search was due. \"fsync\" is the median of a 4 KiB write and its fdatasync on the same \
             disk, before each round. With a delay of 15 s all 1,024 slots are soon taken, and what is added waits.",
    promises: &[],
    plots: &[
        PlotOf { what: "p50", file: "latency-p50.svg", title: "Half of all answers came within" },
        PlotOf { what: "p99", file: "latency-p99.svg", title: "99 of 100 answers came within" },
    ],
    lasts: |context| rounds_of(context, 5 * (context.measured.as_secs() + 5) + 10),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const P50: Kind = ("p50", "ms");
const P99: Kind = ("p99", "ms");
const P999: Kind = ("p99.9", "ms");
const MEDIAN: Kind = ("median", "ms");

#[derive(Clone, Copy)]
enum Variant {
    NoStore,
    Ours,
    OursPostgres,
    Delayed,
    MillionWaiting,
}

const ALL: &[Variant] =
    &[Variant::NoStore, Variant::Ours, Variant::OursPostgres, Variant::Delayed, Variant::MillionWaiting];

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::NoStore => Contestant::NoStore.name(),
            Self::Ours => Contestant::OursSqlite.name(),
            Self::OursPostgres => Contestant::OursPostgres.name(),
            Self::Delayed => "ours, SQLite, --log-delay 15s",
            Self::MillionWaiting => "ours, SQLite, 15 s and a million jobs waiting",
        }
    }

    async fn start(self, context: &BenchContext) -> anyhow::Result<RunningContestant> {
        let delay = ["--log-delay", "15s"];
        match self {
            Self::NoStore => Contestant::NoStore.start(context, &[]).await,
            Self::Ours => Contestant::OursSqlite.start(context, &[]).await,
            Self::OursPostgres => Contestant::OursPostgres.start(context, &[]).await,
            Self::Delayed => {
                let installation = Installation::new();
                let log = LogTable::Jobs { file: installation.database(), after: 0 };
                RunningContestant::ours(installation, None, log, &delay).await
            }
            Self::MillionWaiting => {
                let installation = Installation::new();
                history::one_job(&installation).await?;
                history::multiply_jobs(&installation.database(), WAITING).await?;
                let log = LogTable::Jobs { file: installation.database(), after: i64::from(WAITING) + 1 };
                RunningContestant::ours(installation, None, log, &delay).await
            }
        }
    }
}

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    for round in 0..context.rounds {
        let fsync = fsync()?;
        measurements.add(NAME, "fsync", MEDIAN, fsync.as_secs_f64() * 1000.0);
        for variant in in_turn(ALL, round) {
            context.progress(round, variant.name());
            let outcome = measure_one(context, variant).await;
            let is_ours = !matches!(variant, Variant::NoStore);
            let Some(latency) = noted(measurements, (NAME, variant.name()), is_ours, round, outcome)? else { continue };
            for (kind, us) in [(P50, latency.p50_us), (P99, latency.p99_us), (P999, latency.p999_us)] {
                measurements.add(NAME, variant.name(), kind, f64::from(us) / 1000.0);
            }
            eprintln!("p50 {:.2} ms, p99 {:.2} ms", f64::from(latency.p50_us) / 1e3, f64::from(latency.p99_us) / 1e3);
        }
    }
    Ok(())
}

async fn measure_one(context: &BenchContext, variant: Variant) -> anyhow::Result<Latency> {
    let running = variant.start(context).await?;
    let loaded = load(&running, context.measured, Some(RATE)).await;
    running.stop().await?;
    Ok(loaded?.report.latency)
}

/// The size of a small commit to a write-ahead log.
const BLOCK: [u8; 4096] = [0x5a; 4096];
const TIMES: u32 = 200;

/// The median time of appending a block to a file and syncing it, in the folder of the databases.
pub(crate) fn fsync() -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begin = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
