//! Searches per second, and the cost of each.

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::{Loaded, load};
use super::{PlotOf, Scenario, in_turn, noted};
use crate::contestant::{Contestant, RunningContestant};
use crate::context::{BenchContext, CONNECTIONS};
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

const NAME: &str = "searches";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Searches",
    method: "64 connections that stay open, each with one search at a time, as fast as answers come. **sustained** is how \
             many are answered and also written: the searches of the measured time by the time until the last of their \
             rows was there, so that nothing is gained by a growing backlog. CPU includes the writing. **by wrk** is what wrk, \
             a load generator of others, counts afterwards with as many connections in the same time.",
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
    lasts: |context| rounds_of(context, 8 * (2 * context.measured.as_secs() + 5)),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

/// Answered and written: the rate that the contestant can sustain.
const SUSTAINED: Kind = ("sustained", "/s");
const ANSWERED: Kind = ("answered", "/s");
const BY_WRK: Kind = ("by wrk", "/s");
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
            let outcome = noted(measurements, (NAME, contestant.name()), contestant.is_ours(), round, outcome)?;
            if let Some((loaded, by_wrk)) = outcome {
                write_down(measurements, contestant, context, &loaded);
                measurements.add(NAME, contestant.name(), BY_WRK, by_wrk);
            }
        }
    }
    Ok(())
}

/// What our load generator has measured, and the answers per second that wrk counts afterwards.
async fn measure_one(context: &BenchContext, contestant: Contestant) -> anyhow::Result<(Loaded, f64)> {
    let running = contestant.start(context, &[]).await?;
    let loaded = load(&running, context.measured, None).await;
    let by_wrk = answered_by_wrk(&running, context).await;
    running.stop().await?;
    Ok((loaded?, by_wrk?))
}

/// Answers per second. Fails if one of them has another status than 200.
async fn answered_by_wrk(running: &RunningContestant, context: &BenchContext) -> anyhow::Result<f64> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()]);
    wrk.args(["--duration", &format!("{}s", context.measured.as_secs())]);
    wrk.arg("--script").arg(context.root.join("tests/bench/search.lua"));
    wrk.arg(format!("http://{}{}", running.address, running.path));
    let output = wrk.output().await.context("wrk cannot be started")?;
    rate_of(&String::from_utf8_lossy(&output.stdout))
}

/// The rate in what wrk prints.
fn rate_of(printed: &str) -> anyhow::Result<f64> {
    ensure!(!printed.contains("Non-2xx"), "wrk met failures:\n{printed}");
    let rate = printed.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Ok(rate.with_context(|| format!("wrk printed no rate:\n{printed}"))?.trim().parse()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_wrk_prints() {
        let printed = "  70 requests in 5.00s, 1.2MB read\nRequests/sec:   9521.48\nTransfer/sec:      1.76MB\n";
        assert_eq!(rate_of(printed).expect("a rate"), 9521.48);
        rate_of(&format!("{printed}  Non-2xx or 3xx responses: 3\n")).expect_err("some answers were failures");
        rate_of("unable to connect").expect_err("there is no rate");
    }
}
