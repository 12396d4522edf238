//! The scenarios that can be measured, and how long they take.

mod age;
mod drain;
pub(crate) mod export;
mod idle;
mod latency;
mod lighthouse;
pub(crate) mod page;
mod screen;
mod searches;
mod streams;
pub(crate) mod visit;

use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use ::tests::server_process::workspace_program;
use anyhow::{Context, bail};
use bench::load::{BEGIN, Load, Report};
use bench::now;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::contestant::RunningContestant;
use crate::context::{Arguments, BenchContext, CONNECTIONS, WARM_UP};
use crate::log_table::{Differences, Written};
use crate::measurements::{Measurements, Summary};
use crate::report::Plot;
pub(crate) use crate::scenarios::age::{NEW, OLD};
pub(crate) use crate::scenarios::drain::{Drained, drained_on_postgres, drained_on_sqlite};

type Measuring<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

pub(crate) struct Scenario {
    /// The name for `--only`.
    pub name: &'static str,
    pub title: &'static str,
    /// How it is measured, and the meaning of its columns.
    pub method: &'static str,
    /// Contestants, and what their response guarantees.
    pub promises: &'static [(&'static str, &'static str)],
    pub plots: &'static [PlotOf],
    /// Roughly how long all its rounds take.
    pub lasts: fn(&BenchContext) -> Duration,
    pub measure: for<'a> fn(&'a BenchContext, &'a mut Measurements) -> Measuring<'a>,
}

/// A figure that is drawn for all contestants that have it.
pub(crate) struct PlotOf {
    pub what: &'static str,
    pub file: &'static str,
    pub title: &'static str,
}

/// In the order of the report.
pub(crate) const ALL: &[&Scenario] = &[
    &searches::SCENARIO,
    &latency::SCENARIO,
    &drain::SCENARIO,
    &screen::SCENARIO,
    &age::SCENARIO,
    &export::SCENARIO,
    &page::SCENARIO,
    &idle::SCENARIO,
    &streams::SCENARIO,
    &visit::SCENARIO,
    &lighthouse::SCENARIO,
];

/// The requested scenarios, in the order of the report.
pub(crate) fn wanted(arguments: &Arguments) -> anyhow::Result<Vec<&'static Scenario>> {
    let names: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
    if let Some(unknown) = arguments.only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no {unknown}; there are {}", names.join(", "));
    }
    let is_wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    Ok(ALL.iter().copied().filter(|scenario| is_wanted(scenario.name)).collect())
}

/// All plots for which there are figures.
pub(crate) fn plots(measurements: &Measurements) -> Vec<Plot> {
    let of = |scenario: &Scenario, plot: &PlotOf| {
        let figures =
            measurements.scenarios.get(scenario.name)?.figures.iter().filter(|figure| figure.what == plot.what);
        let unit = figures.clone().next()?.unit.clone();
        let bars = figures.filter_map(|figure| Some((figure.who.clone(), Summary::of(&figure.rounds)?))).collect();
        Some(Plot { file: plot.file, title: plot.title, unit, bars })
    };
    ALL.iter().flat_map(|scenario| scenario.plots.iter().filter_map(|plot| of(scenario, plot))).collect()
}

/// The result of a contestant's round. A failed peer is noted and skipped; a failure of ours is an error.
fn noted<T>(
    measurements: &mut Measurements,
    (scenario, who): (&str, &str),
    is_ours: bool,
    round: u32,
    outcome: anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_ours => Err(error),
        Err(error) => {
            eprintln!("failed: {error:#}");
            measurements.note_failure(scenario, who, round, &error);
            Ok(None)
        }
    }
}

/// Each round starts with a different contestant, so that none always follows the same one.
pub(crate) fn in_turn<T: Copy>(contestants: &[T], round: u32) -> impl Iterator<Item = T> {
    let first = round as usize % contestants.len();
    contestants[first..].iter().chain(&contestants[..first]).copied()
}

/// For instance `takes about 35 min in 5 rounds: searches 10 min, drain 25 min, visit under 1 min`. For a current
/// machine on which the kept databases exist.
pub(crate) fn announced(scenarios: &[&Scenario], context: &BenchContext) -> String {
    let each: Vec<_> = scenarios.iter().map(|scenario| (scenario.name, (scenario.lasts)(context))).collect();
    let all = each.iter().map(|(_, time)| *time).sum();
    let parts: Vec<_> = each.iter().map(|(name, time)| format!("{name} {}", minutes(*time))).collect();
    format!("takes about {} in {} rounds: {}", minutes(all), context.rounds, parts.join(", "))
}

/// This many seconds for each round.
pub(crate) fn rounds_of(context: &BenchContext, seconds: u64) -> Duration {
    Duration::from_secs(u64::from(context.rounds) * seconds)
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        0..60 => "under 1 min".to_owned(),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// The result of a load on a contestant.
pub(crate) struct Loaded {
    pub report: Report,
    /// The contestant's processor time from the start of the measured time until all rows were written.
    pub cpu: Duration,
    /// From the start of the measured time until the last row was written, if there are rows.
    pub until_written: Option<Duration>,
    /// Answered searches that are not in the log. For our server any such search fails the run.
    pub lost: u64,
}

/// Loads a contestant, at a rate (searches per second) or at full speed, and compares its log with the answers.
///
/// Fails if our log differs in any way, or our server leaves a search unanswered.
pub(crate) async fn load(
    contestant: &RunningContestant,
    measured: Duration,
    rate: Option<f64>,
) -> anyhow::Result<Loaded> {
    let ids = NamedTempFile::new()?;
    let load = Load {
        address: contestant.address,
        path: contestant.path.to_owned(),
        connections: CONNECTIONS,
        rate,
        warm_up: WARM_UP,
        measured,
        ids: ids.path().to_owned(),
    };
    let (mut generator, mut lines) = start(&load)?;
    if lines.next_line().await?.as_deref() != Some(BEGIN) {
        bail!("the load generator has not begun");
    }
    let (begin, cpu_before) = (now(), contestant.processes.cpu());
    let said = lines.next_line().await?.context("the load generator says what came of it")?;
    let report: Report = serde_json::from_str(&said)?;
    generator.wait().await?;
    let Written { last, .. } = contestant.log.settle(report.answered_in_all).await?;
    let cpu = contestant.processes.cpu().saturating_sub(cpu_before);
    let differences = contestant.log.differences(ids.path()).await?;
    if contestant.is_ours() && (differences != Differences::default() || report.failed > 0) {
        bail!("of {} searches {} failed, and the log differs: {differences:?}", report.answered_in_all, report.failed);
    }
    let until_written = last.and_then(|last| last.checked_sub(begin));
    Ok(Loaded { report, cpu, until_written, lost: differences.lost })
}

fn start(load: &Load) -> anyhow::Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut command = Command::new(workspace_program("bench-load"));
    command.arg(serde_json::to_string(load)?).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("bench-load cannot be started")?;
    let lines = BufReader::new(child.stdout.take().context("piped above")?).lines();
    Ok((child, lines))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::measurements::ScenarioResult;

    #[test]
    fn a_peer_may_fail_and_ours_may_not() {
        let mut measurements = Measurements::default();
        measurements.scenarios.insert("drain".to_owned(), ScenarioResult::default());
        let mut outcome = |is_ours, outcome| noted(&mut measurements, ("drain", "who"), is_ours, 1, outcome);
        assert_eq!(outcome(false, Ok(7)).expect("a success"), Some(7));
        assert_eq!(outcome(false, Err(anyhow!("locked"))).expect("only noted"), None);
        outcome(true, Err(anyhow!("locked"))).expect_err("ours has failed");
        let notes = &measurements.scenarios["drain"].notes;
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].text, "failed in round 2: locked");
    }

    #[test]
    fn each_scenario_has_a_unique_name_and_takes_turns() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(in_turn(&[1, 2, 3], 4).collect::<Vec<_>>(), [2, 3, 1]);
    }

    #[test]
    fn prints_minutes() {
        let said = [0, 59, 60, 61, 600].map(|seconds| minutes(Duration::from_secs(seconds)));
        assert_eq!(said, ["under 1 min", "under 1 min", "1 min", "2 min", "10 min"]);
    }
}
