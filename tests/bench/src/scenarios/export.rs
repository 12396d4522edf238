//! The whole log as lines of JSON.

use std::path::Path;

use anyhow::ensure;
use tokio::process::Command;

use super::{PlotOf, Scenario, in_turn};
use crate::context::BenchContext;
use crate::history::History;
use crate::log_table::open;
use crate::measurements::{Kind, Measurements};
use crate::processes::{Used, count_lines, ours, run_to_nowhere};
use crate::scenarios::rounds_of;

const NAME: &str = "export";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Export",
    method: "`search4letters export --format ndjson` to /dev/null, from a database that no server has open, the start of \
             the program included. The lines of one run more are counted. Memory is the most that the process ever held: \
             it should not depend on the number of rows.",
    promises: &[],
    plots: &[PlotOf { what: "rate", file: "export.svg", title: "Rows exported" }],
    lasts: |context| rounds_of(context, 30),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const RATE: Kind = ("rate", "rows/s");
const CPU: Kind = ("CPU of each", "µs");
const PEAK: Kind = ("most memory", "MiB");

pub(crate) const LARGE: &str = "ours, 10 million rows";
pub(crate) const SMALL: &str = "ours, 1 million rows";

/// One database to export.
#[derive(Clone, Copy)]
struct Source<'a> {
    name: &'static str,
    data: &'a Path,
    rows: u64,
}

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let (large, small) = (History::LONG.kept(context).await?, History::SHORT.kept(context).await?);
    if run_to_nowhere(ours(&large, &["export", "--help"])).await.is_err() {
        eprintln!("  not measured: there is no such command");
        for name in [LARGE, SMALL] {
            measurements.note(NAME, name, "not measured: there is no command `export`");
        }
        return Ok(());
    }
    let sources = [source(LARGE, &large).await?, source(SMALL, &small).await?];
    for Source { name, data, rows } in sources {
        let lines = count_lines(export(data)).await?;
        // The last line says what the export holds.
        ensure!(lines == rows + 1, "{name}: {rows} rows are exported as {lines} lines");
    }
    for round in 0..context.rounds {
        for Source { name, data, rows } in in_turn(&sources, round) {
            context.progress(round, name);
            let Used { time, cpu, peak_kib } = run_to_nowhere(export(data)).await?;
            let rate = rows as f64 / time.as_secs_f64();
            measurements.add(NAME, name, CPU, cpu.as_secs_f64() * 1e6 / rows as f64);
            measurements.add(NAME, name, RATE, rate);
            measurements.add(NAME, name, PEAK, peak_kib as f64 / 1024.0);
            eprintln!("{rate:.0} rows/s, {:.1} MiB", peak_kib as f64 / 1024.0);
        }
    }
    Ok(())
}

async fn source<'a>(name: &'static str, data: &'a Path) -> anyhow::Result<Source<'a>> {
    let mut connection = open(&data.join("search4letters.db")).await?;
    let rows: i64 = sqlx::query_scalar("select count(*) from log").fetch_one(&mut connection).await?;
    Ok(Source { name, data, rows: rows.unsigned_abs() })
}

fn export(data: &Path) -> Command {
    ours(data, &["export", "--format", "ndjson"])
}
