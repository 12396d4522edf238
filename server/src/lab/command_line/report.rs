//! The results of runs, for people and as JSON documents.

use std::collections::BTreeMap;

use api::{FetchSpec, ItemError, ItemErrorKind, ItemState, LabStyle, LabSummary, LabTrace, LabWork};
use serde::Serialize;

use super::fetch::Run;
use super::{seconds, waterfall};

/// The spec and everything that happened. Times are microseconds since the run began.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    spec: &'a FetchSpec,
    elapsed_us: u64,
    /// How long the requests would have taken one after the other.
    work_us: u64,
    done: u32,
    failed: u32,
    cancelled: u32,
    /// Counts of failed requests by reason.
    errors: BTreeMap<ItemErrorKind, u32>,
    /// In the order of the spec.
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    label: &'a str,
    started_us: Option<u64>,
    ended_us: Option<u64>,
    outcome: &'static str,
    /// Present if the item is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// Present if the item failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ItemError>,
}

impl<'a> Document<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let Run { spec, summary, trace } = run;
        let LabSummary { elapsed_us, done, failed, cancelled, work_us, pool: _ } = *summary;
        let items = trace.items.iter().map(|item| Item {
            label: &item.label,
            started_us: item.started_us,
            ended_us: item.ended_us,
            outcome: item.state.as_str(),
            text: (item.state == ItemState::Done).then_some(item.text.as_str()),
            error: item.error.as_ref(),
        });
        let items = items.collect();
        Self { spec, elapsed_us, work_us, done, failed, cancelled, errors: count_errors(trace), items }
    }
}

#[derive(Serialize)]
struct ComparedRun<'a> {
    speed_up: Option<f64>,
    #[serde(flatten)]
    run: Document<'a>,
}

pub(super) fn comparison(runs: &[Run]) -> impl Serialize {
    let compared = |run| ComparedRun { speed_up: speed_up(run, &runs[0]), run: Document::of(run) };
    BTreeMap::from([("runs", runs.iter().map(compared).collect::<Vec<_>>())])
}

/// Counts failed tasks or requests by reason.
pub(super) fn count_errors(trace: &LabTrace) -> BTreeMap<ItemErrorKind, u32> {
    let mut errors = BTreeMap::new();
    for error in trace.items.iter().filter_map(|item| item.error.as_ref()) {
        *errors.entry(error.kind).or_default() += 1;
    }
    errors
}

/// A line or two about one run.
pub(super) fn summary(run: &Run) -> String {
    let one_or_many = |one: &'static str, many| if run.summary.done == 1 { one } else { many };
    let what = match run.spec.work {
        LabWork::Flags => one_or_many("flag downloaded", "flags downloaded"),
        LabWork::Second => one_or_many("number received", "numbers received"),
    };
    let first = format!("{} {what} in {:.2}s\n", run.summary.done, seconds(run.summary.elapsed_us));
    failures(run).map_or_else(|| first.clone(), |failures| format!("{first}{failures}\n"))
}

/// Failures counted by kind: "2 not found, 1 timed out".
fn failures(run: &Run) -> Option<String> {
    let errors = count_errors(&run.trace);
    let mut counts: Vec<_> = errors.iter().map(|(kind, count)| format!("{count} {}", kind.as_str())).collect();
    if run.summary.cancelled > 0 {
        counts.push(format!("{} cancelled", run.summary.cancelled));
    }
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// What is compared, and the names of the columns.
pub(super) fn table_head(spec: &FetchSpec) -> String {
    let FetchSpec { count, latency_ms, jitter_ms, workers, .. } = spec;
    let what = match spec.work {
        LabWork::Flags => "flags",
        LabWork::Second => "numbers",
    };
    let jitter = if *jitter_ms > 0 { format!(", {jitter_ms} ms more or less") } else { String::new() };
    let title = format!("{count} {what}, each after {latency_ms} ms{jitter}; {workers} threads at most");
    format!("{title}\n\n{}", table_line("style", "requests", "elapsed", "speed-up"))
}

/// The line of one style.
pub(super) fn table_row(run: &Run, speed_up: Option<f64>) -> String {
    let failures = failures(run);
    let done = run.summary.done;
    let requests = if failures.is_some() { format!("{done} of {}", run.spec.count) } else { done.to_string() };
    let elapsed = format!("{:.2}s", seconds(run.summary.elapsed_us));
    let speed_up = speed_up.map_or_else(|| "-".to_owned(), |times| format!("{times:.1}x"));
    let line = table_line(run.spec.style.as_str(), &requests, &elapsed, &speed_up);
    failures.map_or_else(|| line.clone(), |failures| format!("{}  {failures}\n", line.trim_end()))
}

fn table_line(style: &str, requests: &str, elapsed: &str, speed_up: &str) -> String {
    format!("{style:<10}  {requests:>12}  {elapsed:>8}  {speed_up:>8}\n")
}

/// The speed-up over the sequential run. `None` if it is unknown.
pub(super) fn speed_up(run: &Run, first: &Run) -> Option<f64> {
    let is_known = first.spec.style == LabStyle::Sequential && run.summary.elapsed_us > 0;
    is_known.then(|| seconds(first.summary.elapsed_us) / seconds(run.summary.elapsed_us))
}

/// All on one scale, so that the shorter run is the shorter picture.
pub(super) fn pictures(runs: &[Run], columns: usize) -> String {
    let longest_us = runs.iter().map(|run| waterfall::length_us(&run.trace)).max().unwrap_or(0);
    let picture = |run: &Run| {
        let lines = waterfall::draw(&run.trace, columns, longest_us);
        format!("\n{}\n{}\n", run.spec.style.as_str(), lines.join("\n"))
    };
    runs.iter().map(picture).collect()
}
