//! `lab database`: many tasks and few connections.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::ensure;
use api::{DatabaseSpec, ItemErrorKind, LabFact, LabSpec, LabSummary};
use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::report::count_errors;
use super::{check, duration, follow, print_json, seconds, whole_ms};
use crate::lab::database::{PoolOpener, database};
use crate::platform::output::{is_stderr_terminal, print, stderr};

#[derive(Clone, Debug, Args)]
pub struct LabDatabase {
    /// How many batches; each begins when the one before has ended
    #[arg(long, default_value = "10", value_name = "N")]
    pub batches: NonZeroU32,
    /// How many tasks each batch starts at once
    #[arg(long, default_value = "100", value_name = "N")]
    pub tasks: NonZeroU32,
    /// How long each task keeps its connection
    #[arg(long, default_value = "10ms", value_name = "TIME", value_parser = duration)]
    pub hold: Duration,
    /// Of each hundred tasks, how many fail
    #[arg(long, default_value = "5", value_name = "N")]
    pub failing: u32,
    /// Of each hundred tasks, how many panic
    #[arg(long, default_value = "5", value_name = "N")]
    pub panicking: u32,
    /// Of each hundred tasks, how many are aborted while they hold a connection
    #[arg(long, default_value = "5", value_name = "N")]
    pub aborted: u32,
    /// Print one JSON document instead
    #[arg(long)]
    pub json: bool,
}

impl LabDatabase {
    fn spec(&self) -> anyhow::Result<DatabaseSpec> {
        let spec = DatabaseSpec {
            batches: self.batches.get(),
            tasks_per_batch: self.tasks.get(),
            hold_ms: whole_ms(self.hold),
            failing: self.failing,
            panicking: self.panicking,
            aborted: self.aborted,
        };
        check(&LabSpec::Database(spec.clone()))?;
        Ok(spec)
    }
}

/// Runs the scenario on the database that `open` opens, and prints its results. Messages call the database `name`.
/// Fails also if a connection has not come back, or a task was refused one.
pub async fn lab_database(args: &LabDatabase, name: &str, open: &PoolOpener) -> anyhow::Result<()> {
    let spec = args.spec()?;
    if !args.json {
        print(&format!("Database: {name}\n{}\n", intention(&spec)))?;
    }
    let run = async |sink| database(&spec, open, &sink, &CancellationToken::new()).await;
    let (summary, trace) = follow(run, |_, event| match event.what {
        LabFact::Pool { in_use, idle, waiting } if !args.json => show_progress(in_use, idle, waiting),
        _ => {}
    })
    .await;
    let summary = summary?;
    let report = Report { spec: &spec, summary: &summary, errors: count_errors(&trace) };
    if args.json {
        print_json(&report)?;
    } else {
        end_progress();
        print(&report.to_string())?;
    }
    let pool = summary.pool.unwrap_or_default();
    let (leaked, refused) = (pool.leaked, pool.refused);
    ensure!(leaked == 0 && refused == 0, "{leaked} connections did not come back, {refused} tasks were refused one");
    Ok(())
}

fn intention(spec: &DatabaseSpec) -> String {
    let (hold_ms, connections) = (spec.hold_ms, DatabaseSpec::CONNECTIONS);
    let batches = number(spec.batches, "batch", "batches");
    let tasks = number(spec.tasks_per_batch, "task", "tasks");
    format!("{batches} of {tasks} share {connections} connections. Each task keeps one for {hold_ms} ms.")
}

fn number(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Redraws one line, on terminals only.
fn show_progress(in_use: u32, idle: u32, waiting: u32) {
    if is_stderr_terminal() {
        stderr().push(format!("\r{in_use:>3} in use {idle:>3} idle {waiting:>6} waiting ").as_bytes());
    }
}

fn end_progress() {
    if is_stderr_terminal() {
        stderr().push(b"\n");
    }
}

/// The spec and the results.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    spec: &'a DatabaseSpec,
    #[serde(flatten)]
    summary: &'a LabSummary,
    errors: BTreeMap<ItemErrorKind, u32>,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>7}  done", self.summary.done)?;
        for (kind, count) in &self.errors {
            writeln!(f, "{count:>7}  {}", kind.as_str())?;
        }
        let pool = self.summary.pool.unwrap_or_default();
        let longest_ms = seconds(pool.longest_wait_us) * 1_000.0;
        writeln!(f, "At most {} of {} connections were in use.", pool.most_in_use, pool.max)?;
        let waited = number(pool.most_waiting, "task", "tasks");
        writeln!(f, "At most {waited} waited for one. The longest wait was {longest_ms:.1} ms.")?;
        writeln!(
            f,
            "Connections that did not come back: {}. Tasks that were refused one: {}.",
            pool.leaked, pool.refused
        )?;
        let (took, work) = (seconds(self.summary.elapsed_us), seconds(self.summary.work_us));
        writeln!(f, "It took {took:.2} s. One after the other it would have been {work:.2} s.")
    }
}

#[cfg(test)]
mod tests {
    use api::{ItemError, LabEvent, LabTrace, PoolSummary};

    use super::*;

    #[test]
    fn the_report_counts_each_kind_of_failure_and_says_that_nothing_leaked() {
        let mut trace = LabTrace::default();
        trace.apply(LabEvent {
            at_us: 0,
            what: LabFact::Began { labels: (0..4).map(|item| item.to_string()).collect() },
        });
        for (item, kind) in [(1, ItemErrorKind::Panic), (2, ItemErrorKind::Task), (3, ItemErrorKind::Panic)] {
            let error = ItemError { kind, detail: String::new() };
            trace.apply(LabEvent { at_us: 9, what: LabFact::Failed { item, error } });
        }
        let pool = PoolSummary { max: 8, most_in_use: 4, longest_wait_us: 12_345, ..PoolSummary::default() };
        let summary =
            LabSummary { done: 1, failed: 3, elapsed_us: 1_500_000, pool: Some(pool), ..LabSummary::default() };
        let spec = DatabaseSpec { batches: 1, tasks_per_batch: 4, hold_ms: 1, failing: 0, panicking: 0, aborted: 0 };
        let text = Report { spec: &spec, summary: &summary, errors: count_errors(&trace) }.to_string();
        for part in ["  1  done\n", "  1  failed\n", "  2  panicked\n", "4 of 8", "12.3 ms", "come back: 0.", "1.50 s."]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
