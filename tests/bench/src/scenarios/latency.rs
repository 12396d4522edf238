//! How long an answer takes, with and without a log.

use super::loaded::load;
use super::{PlotOf, Scenario, in_turn, noted};
use crate::book::{Book, Kind};
use crate::disk;
use crate::log_table::LogTable;
use crate::schedule::rounds_of;
use crate::site::{Running, Site};
use crate::waiting;
use crate::workshop::Workshop;
use bench::load::Latency;
use tests::server_process::Installation;

pub(crate) const NAME: &str = "latency";
/// A second: far from what any of them can do at most, so that nothing queues up.
const RATE: f64 = 1000.0;
/// How many jobs wait in the one database.
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
    lasts: |workshop| rounds_of(workshop, 5 * (workshop.measured.as_secs() + 5) + 10),
    measure: |workshop, book| Box::pin(measure(workshop, book)),
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
            Self::NoStore => Site::NoStore.name(),
            Self::Ours => Site::OursSqlite.name(),
            Self::OursPostgres => Site::OursPostgres.name(),
            Self::Delayed => "ours, SQLite, --log-delay 15s",
            Self::MillionWaiting => "ours, SQLite, 15 s and a million jobs waiting",
        }
    }

    async fn start(self, workshop: &Workshop) -> anyhow::Result<Running> {
        let delay = ["--log-delay", "15s"];
        match self {
            Self::NoStore => Site::NoStore.start(workshop, &[]).await,
            Self::Ours => Site::OursSqlite.start(workshop, &[]).await,
            Self::OursPostgres => Site::OursPostgres.start(workshop, &[]).await,
            Self::Delayed => {
                let installation = Installation::new();
                let log = LogTable::Jobs { file: installation.database(), after: 0 };
                Running::ours(installation, None, log, &delay).await
            }
            Self::MillionWaiting => {
                let installation = Installation::new();
                waiting::one_job(&installation).await?;
                waiting::multiply_jobs(&installation.database(), WAITING).await?;
                let log = LogTable::Jobs { file: installation.database(), after: i64::from(WAITING) + 1 };
                Running::ours(installation, None, log, &delay).await
            }
        }
    }
}

async fn measure(workshop: &Workshop, book: &mut Book) -> anyhow::Result<()> {
    for round in 0..workshop.rounds {
        let fsync = disk::fsync()?;
        book.add(NAME, "fsync", MEDIAN, fsync.as_secs_f64() * 1000.0);
        for variant in in_turn(ALL, round) {
            workshop.progress(round, variant.name());
            let outcome = measure_one(workshop, variant).await;
            let is_ours = !matches!(variant, Variant::NoStore);
            let Some(latency) = noted(book, (NAME, variant.name()), is_ours, round, outcome)? else { continue };
            for (kind, us) in [(P50, latency.p50_us), (P99, latency.p99_us), (P999, latency.p999_us)] {
                book.add(NAME, variant.name(), kind, f64::from(us) / 1000.0);
            }
            eprintln!("p50 {:.2} ms, p99 {:.2} ms", f64::from(latency.p50_us) / 1e3, f64::from(latency.p99_us) / 1e3);
        }
    }
    Ok(())
}

async fn measure_one(workshop: &Workshop, variant: Variant) -> anyhow::Result<Latency> {
    let running = variant.start(workshop).await?;
    let loaded = load(&running, workshop.measured, Some(RATE)).await;
    running.stop().await?;
    Ok(loaded?.report.latency)
}
