//! Searches per second, and the cost of each.

use super::{Loaded, load};
use super::{PlotOf, Scenario, in_turn, noted};
use crate::contestant::Contestant;
use crate::context::BenchContext;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

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
    lasts: |context| rounds_of(context, 8 * (context.measured.as_secs() + 5)),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

/// Answered and written: the rate that the contestant can sustain.
const SUSTAINED: Kind = ("sustained", "/s");
const ANSWERED: Kind = ("answered", "/s");
const CPU: Kind = ("CPU of each", "µs");
const P50: Kind = ("p50", "ms");
const P99: Kind = ("p99", "ms");
const FAILED: Kind = ("failed", "");
const SPOOLED: Kind = ("spooled", "");
/// Answered but never written.
const LOST: Kind = ("lost", "");

const CONTESTANTS: &[Contestant] = &[
    Contestant::OursSqlite,
    Contestant::OursPostgres,
    Contestant::NoStore,
    Contestant::Empty,
    Contestant::ApalisDefault,
    Contestant::ApalisBest,
    Contestant::FlaskDevelopment,
    Contestant::FlaskGunicorn,
];

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    for round in 0..context.rounds {
        for contestant in in_turn(CONTESTANTS, round) {
            context.progress(round, contestant.name());
            let outcome = measure_one(context, contestant).await;
            if let Some(loaded) = noted(measurements, (NAME, contestant.name()), contestant.is_ours(), round, outcome)?
            {
                write_down(measurements, contestant, context, &loaded);
            }
        }
    }
    Ok(())
}

async fn measure_one(context: &BenchContext, contestant: Contestant) -> anyhow::Result<Loaded> {
    let running = contestant.start(context, &[]).await?;
    let loaded = load(&running, context.measured, None).await;
    running.stop().await?;
    loaded
}

fn write_down(measurements: &mut Measurements, contestant: Contestant, context: &BenchContext, loaded: &Loaded) {
    let Loaded { report, cpu, until_written, lost } = loaded;
    let answered = report.answered as f64 / context.measured.as_secs_f64();
    let sustained = match until_written {
        Some(time) => (report.answered_since as f64 / time.as_secs_f64()).min(answered),
        None => answered,
    };
    let cpu_us = cpu.as_secs_f64() * 1e6 / report.answered_since.max(1) as f64;
    let mut add = |kind, value| measurements.add(NAME, contestant.name(), kind, value);
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
