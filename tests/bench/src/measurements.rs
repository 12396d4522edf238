//! All figures by scenario, kept in target/bench/report.json. A run of one scenario keeps those of the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bench::now;
use serde::{Deserialize, Serialize};

use crate::context::BenchContext;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measurements {
    pub scenarios: BTreeMap<String, ScenarioResult>,
}

/// The latest measurement of a scenario.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ScenarioResult {
    pub unix_seconds: u64,
    pub revision: String,
    pub rounds: u32,
    pub seconds: u64,
    /// In the order of their first measurement.
    pub figures: Vec<Figure>,
    /// Remarks about the figures.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Why the scenario ended early. Its figures are then meaningless.
    #[serde(default)]
    pub failure: Option<String>,
}

/// Why a figure or one of its rounds is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub who: String,
    pub text: String,
}

/// One figure of one contestant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub who: String,
    pub what: String,
    pub unit: String,
    /// One for each round.
    pub rounds: Vec<f64>,
}

/// What was measured, and its unit.
pub(crate) type Kind = (&'static str, &'static str);

impl Measurements {
    /// The measurements of earlier runs; empty if there were none.
    pub(crate) fn read(context: &BenchContext) -> anyhow::Result<Self> {
        let file = file(&context.folder);
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&file)?;
        serde_json::from_str(&text).with_context(|| format!("{} is no report; remove it", file.display()))
    }

    /// The measurements behind docs/performance.md; `None` before the first.
    pub(crate) fn documented(context: &BenchContext) -> anyhow::Result<Option<Self>> {
        let file = context.root.join("docs/performance/figures.json");
        if !file.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&file)?;
        serde_json::from_str(&text).map(Some).with_context(|| format!("{} is no report", file.display()))
    }

    pub(crate) fn write(&self, context: &BenchContext) -> anyhow::Result<()> {
        self.write_to(&file(&context.folder))
    }

    pub(crate) fn write_to(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Discards earlier measurements of this scenario.
    pub(crate) fn begin(&mut self, scenario: &str, context: &BenchContext) {
        let result = ScenarioResult {
            unix_seconds: now().as_secs(),
            revision: context.revision.clone(),
            rounds: context.rounds,
            seconds: context.measured.as_secs(),
            figures: Vec::new(),
            notes: Vec::new(),
            failure: None,
        };
        self.scenarios.insert(scenario.to_owned(), result);
    }

    /// Adds one round's value.
    pub(crate) fn add(&mut self, scenario: &str, who: &str, (what, unit): Kind, value: f64) {
        let Some(result) = self.scenarios.get_mut(scenario) else { return };
        match result.figures.iter_mut().find(|figure| figure.who == who && figure.what == what) {
            Some(figure) => figure.rounds.push(value),
            None => {
                let (who, what, unit) = (who.to_owned(), what.to_owned(), unit.to_owned());
                result.figures.push(Figure { who, what, unit, rounds: vec![value] });
            }
        }
    }

    /// Notes something, once.
    pub(crate) fn note(&mut self, scenario: &str, who: &str, text: impl Into<String>) {
        let Some(result) = self.scenarios.get_mut(scenario) else { return };
        let note = Note { who: who.to_owned(), text: text.into() };
        if !result.notes.contains(&note) {
            result.notes.push(note);
        }
    }

    /// Notes that a round (counted from 0) of a peer has failed.
    pub(crate) fn note_failure(&mut self, scenario: &str, who: &str, round: u32, error: &anyhow::Error) {
        self.note(scenario, who, format!("failed in round {}: {}", round + 1, cause(error)));
    }

    /// Records that our server failed and the scenario ended early.
    pub(crate) fn fail(&mut self, scenario: &str, error: &anyhow::Error) {
        if let Some(result) = self.scenarios.get_mut(scenario) {
            result.failure = Some(cause(error));
        }
    }

    /// `None` if nothing was measured or the scenario failed.
    pub(crate) fn summary(&self, scenario: &str, who: &str, what: &str) -> Option<Summary> {
        let result = self.scenarios.get(scenario).filter(|result| result.failure.is_none())?;
        Summary::of(&result.figures.iter().find(|figure| figure.who == who && figure.what == what)?.rounds)
    }

    pub(crate) fn median(&self, scenario: &str, who: &str, what: &str) -> Option<f64> {
        self.summary(scenario, who, what).map(|summary| summary.median)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("report.json")
}

/// The innermost cause, on one line. Outer errors name paths of this machine.
fn cause(error: &anyhow::Error) -> String {
    const LONGEST: usize = 200;
    error.root_cause().to_string().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

/// The summary of at least one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Summary {
    /// `None` if nothing was measured.
    pub(crate) fn of(rounds: &[f64]) -> Option<Self> {
        let mut rounds = rounds.to_vec();
        rounds.sort_by(f64::total_cmp);
        let (least, most) = (*rounds.first()?, *rounds.last()?);
        let (below, above) = (rounds[(rounds.len() - 1) / 2], rounds[rounds.len() / 2]);
        Some(Self { median: below.midpoint(above), least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_scenario_replaces_its_measurements() {
        let context = BenchContext {
            root: PathBuf::new(),
            folder: PathBuf::new(),
            rounds: 2,
            measured: std::time::Duration::from_secs(1),
            is_long: false,
            writes_docs: false,
            revision: "abc".to_owned(),
        };
        let mut measurements = Measurements::default();
        measurements.begin("searches", &context);
        for value in [1.0, 3.0] {
            measurements.add("searches", "ours", ("answered", "/s"), value);
        }
        measurements.begin("drain", &context);
        assert_eq!(measurements.median("searches", "ours", "answered"), Some(2.0));
        assert_eq!(measurements.median("searches", "ours", "other"), None);
        let error = anyhow::anyhow!("database\n is locked").context("/somewhere");
        measurements.note_failure("searches", "peer", 1, &error);
        measurements.note_failure("searches", "peer", 1, &error);
        let note = Note { who: "peer".to_owned(), text: "failed in round 2: database is locked".to_owned() };
        assert_eq!(measurements.scenarios["searches"].notes, [note]);
        assert_eq!(
            measurements.median("searches", "ours", "answered"),
            Some(2.0),
            "a peer's failure is no failure of ours"
        );
        measurements.fail("searches", &error);
        assert_eq!(measurements.median("searches", "ours", "answered"), None);
        measurements.begin("searches", &context);
        assert_eq!(measurements.median("searches", "ours", "answered"), None);
        assert!(
            measurements.scenarios["searches"].notes.is_empty() && measurements.scenarios["searches"].failure.is_none()
        );
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let summary = |median, least, most| Some(Summary { median, least, most });
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[3.0]), summary(3.0, 3.0, 3.0));
        assert_eq!(Summary::of(&[9.0, 1.0, 2.0]), summary(2.0, 1.0, 9.0));
        assert_eq!(Summary::of(&[4.0, 1.0, 9.0, 2.0]), summary(3.0, 1.0, 9.0));
    }
}
