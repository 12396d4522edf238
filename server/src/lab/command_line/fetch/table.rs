//! The table of a comparison.

use api::{FetchSpec, LabWork};

use super::super::words::seconds;
use super::run::Run;

/// What is compared, and what the columns are.
pub(super) fn head(spec: &FetchSpec) -> String {
    let FetchSpec { count, latency_ms, jitter_ms, workers, .. } = spec;
    let what = match spec.work {
        LabWork::Flags => "flags",
        LabWork::Second => "numbers",
    };
    let give_or_take = if *jitter_ms > 0 { format!(", {jitter_ms} ms more or less") } else { String::new() };
    let title = format!("{count} {what}, each after {latency_ms} ms{give_or_take}; {workers} threads at most");
    format!("{title}\n\n{}", line("style", "requests", "elapsed", "speed-up"))
}

/// A style's line.
pub(super) fn row(run: &Run, speed_up: Option<f64>) -> String {
    let requests = match run.failures() {
        None => run.summary.done.to_string(),
        Some(_) => format!("{} of {}", run.summary.done, run.spec.count),
    };
    let elapsed = format!("{:.2}s", seconds(run.summary.elapsed_us));
    let speed_up = speed_up.map_or_else(|| "-".to_owned(), |times| format!("{times:.1}x"));
    let line = line(run.spec.style.as_str(), &requests, &elapsed, &speed_up);
    run.failures().map_or(line.clone(), |failures| format!("{}  {failures}\n", line.trim_end()))
}

fn line(style: &str, requests: &str, elapsed: &str, speed_up: &str) -> String {
    format!("{style:<10}  {requests:>12}  {elapsed:>8}  {speed_up:>8}\n")
}
