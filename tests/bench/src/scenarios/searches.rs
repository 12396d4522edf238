//! Searches per second, and what each costs.

use super::loaded::{Loaded, load};
use super::{PlotOf, Scenario, in_turn, noted};
use crate::book::{Book, Kind};
use crate::schedule::rounds_of;
use crate::site::Site;
use crate::workshop::Workshop;

const NAME: &str = "searches";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Searches",
    method: "64 connections that stay open, each with one search at a time, as fast as answers come. **sustained** is how \
             many are answered and also written: the searches of the measured time by the time until the last of their \
             rows was there, so that nothing is gained by a growing backlog. CPU includes the writing.",
    promises: &[
        ("ours", "the record is a job, fsynced"),
        (
            "apalis-sqlite, best",
            "the record is a job, fsynced; jobs are added and rows written in groups, an index is dropped",
        ),
        ("apalis-sqlite, default", "the record is a job that a loss of power may take (`synchronous=off`)"),
        ("no store, empty axum", "nothing is recorded"),
        ("Flask", "nothing yet: a thread writes the row later, and fsyncs it"),
    ],
    plots: &[
        PlotOf { what: "sustained", file: "searches.svg", title: "Searches answered and written" },
        PlotOf { what: "CPU of each", file: "searches-cpu.svg", title: "Processor time of each search" },
    ],
    lasts: |workshop| rounds_of(workshop, 8 * (workshop.measured.as_secs() + 5)),
    measure: |workshop, book| Box::pin(measure(workshop, book)),
};

/// Answered and written: what the site can keep up for ever.
const SUSTAINED: Kind = ("sustained", "/s");
const ANSWERED: Kind = ("answered", "/s");
const CPU: Kind = ("CPU of each", "µs");
const P50: Kind = ("p50", "ms");
const P99: Kind = ("p99", "ms");
const FAILED: Kind = ("failed", "");
const SPOOLED: Kind = ("spooled", "");
/// Answered, and never written.
const LOST: Kind = ("lost", "");

const SITES: &[Site] = &[
    Site::OursSqlite,
    Site::OursPostgres,
    Site::NoStore,
    Site::Empty,
    Site::ApalisDefault,
    Site::ApalisBest,
    Site::FlaskDevelopment,
    Site::FlaskGunicorn,
];

async fn measure(workshop: &Workshop, book: &mut Book) -> anyhow::Result<()> {
    for round in 0..workshop.rounds {
        for site in in_turn(SITES, round) {
            workshop.progress(round, site.name());
            let outcome = measure_one(workshop, site).await;
            if let Some(loaded) = noted(book, (NAME, site.name()), site.is_ours(), round, outcome)? {
                write_down(book, site, workshop, &loaded);
            }
        }
    }
    Ok(())
}

async fn measure_one(workshop: &Workshop, site: Site) -> anyhow::Result<Loaded> {
    let running = site.start(workshop, &[]).await?;
    let loaded = load(&running, workshop.measured, None).await;
    running.stop().await?;
    loaded
}

fn write_down(book: &mut Book, site: Site, workshop: &Workshop, loaded: &Loaded) {
    let Loaded { report, cpu, until_written, lost } = loaded;
    let answered = report.answered as f64 / workshop.measured.as_secs_f64();
    let sustained = match until_written {
        Some(time) => (report.answered_since as f64 / time.as_secs_f64()).min(answered),
        None => answered,
    };
    let cpu_us = cpu.as_secs_f64() * 1e6 / report.answered_since.max(1) as f64;
    let mut add = |kind, value| book.add(NAME, site.name(), kind, value);
    add(CPU, cpu_us);
    add(SUSTAINED, sustained);
    add(ANSWERED, answered);
    add(P50, f64::from(report.latency.p50_us) / 1000.0);
    add(P99, f64::from(report.latency.p99_us) / 1000.0);
    add(FAILED, report.failed as f64);
    add(SPOOLED, report.spooled as f64);
    add(LOST, *lost as f64);
    eprintln!("{sustained:.0}/s sustained, {answered:.0}/s answered, {cpu_us:.0} µs of CPU each");
}
