//! What a long history costs: the same measurements on a new database and on an old one.

use std::path::Path;
use std::time::{Duration, Instant};

use ::tests::server_process::Installation;
use anyhow::Context;
use tokio::time::sleep;

use super::load;
use super::{PlotOf, Scenario, in_turn};
use crate::contestant::RunningContestant;
use crate::context::BenchContext;
use crate::history;
use crate::history::History;
use crate::log_table::{LogTable, open};
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

const NAME: &str = "age";

/// Latency is measured at this many searches per second.
const RATE: f64 = 1000.0;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "The cost of age",
    method: "A new SQLite database, and one with 10 million rows in the log and a million jobs that wait, of a kind that \
             is paused. \"ready\" is the time from the start of the process until `/readyz` says yes. The old database is \
             made once and kept below target/bench; each run works on a copy.",
    promises: &[],
    plots: &[PlotOf { what: "sustained", file: "age.svg", title: "Searches answered and written" }],
    lasts: |context| rounds_of(context, 4 * (context.measured.as_secs() + 5)),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const READY: Kind = ("ready", "ms");
const SUSTAINED: Kind = ("sustained", "/s");
const P50: Kind = ("p50", "ms");
const P99: Kind = ("p99", "ms");
const MEMORY: Kind = ("resident", "MiB");

const POLL_INTERVAL: Duration = Duration::from_millis(1);

pub(crate) const NEW: &str = "new";
pub(crate) const OLD: &str = "10 million rows, a million jobs";

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let old = History::LONG.copy(context).await?;
    for round in 0..context.rounds {
        for who in in_turn(&[NEW, OLD], round) {
            context.progress(round, who);
            let installation = match who {
                NEW => {
                    let installation = Installation::new();
                    history::one_row(&installation).await?;
                    installation
                }
                _ => Installation::new().with_data(old.path()),
            };
            measurements.add(NAME, who, READY, ready(&installation).await?.as_secs_f64() * 1000.0);
            let file = installation.database();
            let log = LogTable::Sqlite { after: last_row(&file).await?, file };
            let running = RunningContestant::ours(installation, None, log.clone(), &[]).await?;
            let calm = load(&running, context.measured, Some(RATE)).await?.report.latency;
            let running = running.behind(last_row_of(&log).await?);
            let busy = load(&running, context.measured, None).await?;
            let memory_mib = running.processes.resident_kib() as f64 / 1024.0;
            running.stop().await?;
            let written = busy.until_written.context("ours writes rows")?.max(context.measured);
            let sustained = busy.report.answered_since as f64 / written.as_secs_f64();
            measurements.add(NAME, who, SUSTAINED, sustained);
            measurements.add(NAME, who, P50, f64::from(calm.p50_us) / 1000.0);
            measurements.add(NAME, who, P99, f64::from(calm.p99_us) / 1000.0);
            measurements.add(NAME, who, MEMORY, memory_mib);
            eprintln!("{sustained:.0}/s sustained, p50 {:.2} ms", f64::from(calm.p50_us) / 1000.0);
        }
    }
    Ok(())
}

/// Starts the server, measures the time until it is ready, and stops it.
async fn ready(installation: &Installation) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let mut server = installation.launch(&[]);
    let client = installation.client();
    while !client.get("/readyz").await.is_ok_and(|answer| answer.status == 200) {
        server.assert_running();
        sleep(POLL_INTERVAL).await;
    }
    let time = begin.elapsed();
    server.terminate(Duration::from_secs(30)).await;
    Ok(time)
}

async fn last_row_of(log: &LogTable) -> anyhow::Result<i64> {
    match log {
        LogTable::Sqlite { file, .. } => last_row(file).await,
        _ => Ok(0),
    }
}

async fn last_row(file: &Path) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("select coalesce(max(id), 0) from log").fetch_one(&mut open(file).await?).await?)
}
