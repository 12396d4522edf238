//! All figures that were measured, by scenario, kept in target/bench/report.json: a run of one scenario leaves those
//! of the others as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bench::now::now;
use serde::{Deserialize, Serialize};

use crate::summary::Summary;
use crate::workshop::Workshop;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Book {
    pub scenarios: BTreeMap<String, Chapter>,
}

/// One scenario, as it was measured last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Chapter {
    pub unix_seconds: u64,
    pub revision: String,
    pub rounds: u32,
    pub seconds: u64,
    /// In the order in which they were measured first.
    pub figures: Vec<Figure>,
    /// What the figures do not tell.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Why the scenario has ended early: then its figures are no measure of anything.
    #[serde(default)]
    pub failure: Option<String>,
}

/// Why a figure is missing, or misses a round.
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

/// What was measured, and in which unit.
pub(crate) type Kind = (&'static str, &'static str);

impl Book {
    /// As an earlier run has left it; empty where there was none.
    pub(crate) fn read(workshop: &Workshop) -> anyhow::Result<Self> {
        let file = file(&workshop.folder);
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&file)?;
        serde_json::from_str(&text).with_context(|| format!("{} is no report; remove it", file.display()))
    }

    /// The one that docs/performance.md was written from; none before the first.
    pub(crate) fn documented(workshop: &Workshop) -> anyhow::Result<Option<Self>> {
        let file = workshop.root.join("docs/performance/figures.json");
        if !file.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&file)?;
        serde_json::from_str(&text).map(Some).with_context(|| format!("{} is no report", file.display()))
    }

    pub(crate) fn write(&self, workshop: &Workshop) -> anyhow::Result<()> {
        self.write_to(&file(&workshop.folder))
    }

    pub(crate) fn write_to(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// What an earlier run has measured in this scenario is forgotten.
    pub(crate) fn begin(&mut self, scenario: &str, workshop: &Workshop) {
        let chapter = Chapter {
            unix_seconds: now().as_secs(),
            revision: workshop.revision.clone(),
            rounds: workshop.rounds,
            seconds: workshop.measured.as_secs(),
            figures: Vec::new(),
            notes: Vec::new(),
            failure: None,
        };
        self.scenarios.insert(scenario.to_owned(), chapter);
    }

    /// Adds one round's value.
    pub(crate) fn add(&mut self, scenario: &str, who: &str, (what, unit): Kind, value: f64) {
        let Some(chapter) = self.scenarios.get_mut(scenario) else { return };
        match chapter.figures.iter_mut().find(|figure| figure.who == who && figure.what == what) {
            Some(figure) => figure.rounds.push(value),
            None => {
                let (who, what, unit) = (who.to_owned(), what.to_owned(), unit.to_owned());
                chapter.figures.push(Figure { who, what, unit, rounds: vec![value] });
            }
        }
    }

    /// Notes something, once.
    pub(crate) fn note(&mut self, scenario: &str, who: &str, text: impl Into<String>) {
        let Some(chapter) = self.scenarios.get_mut(scenario) else { return };
        let note = Note { who: who.to_owned(), text: text.into() };
        if !chapter.notes.contains(&note) {
            chapter.notes.push(note);
        }
    }

    /// Notes that a round (counted from 0) of a peer has failed.
    pub(crate) fn note_failure(&mut self, scenario: &str, who: &str, round: u32, error: &anyhow::Error) {
        self.note(scenario, who, format!("failed in round {}: {}", round + 1, cause(error)));
    }

    /// Ours has failed: the scenario has ended early.
    pub(crate) fn fail(&mut self, scenario: &str, error: &anyhow::Error) {
        if let Some(chapter) = self.scenarios.get_mut(scenario) {
            chapter.failure = Some(cause(error));
        }
    }

    /// None where nothing was measured, or the scenario has failed.
    pub(crate) fn summary(&self, scenario: &str, who: &str, what: &str) -> Option<Summary> {
        let chapter = self.scenarios.get(scenario).filter(|chapter| chapter.failure.is_none())?;
        Summary::of(&chapter.figures.iter().find(|figure| figure.who == who && figure.what == what)?.rounds)
    }

    pub(crate) fn median(&self, scenario: &str, who: &str, what: &str) -> Option<f64> {
        self.summary(scenario, who, what).map(|summary| summary.median)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("report.json")
}

/// The innermost cause, on one line: what is wrapped around it names paths of this machine.
fn cause(error: &anyhow::Error) -> String {
    const LONGEST: usize = 200;
    error.root_cause().to_string().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_that_is_measured_again_is_measured_anew() {
        let workshop = Workshop {
            root: PathBuf::new(),
            folder: PathBuf::new(),
            rounds: 2,
            measured: std::time::Duration::from_secs(1),
            is_long: false,
            writes_docs: false,
            revision: "abc".to_owned(),
        };
        let mut book = Book::default();
        book.begin("searches", &workshop);
        for value in [1.0, 3.0] {
            book.add("searches", "ours", ("answered", "/s"), value);
        }
        book.begin("drain", &workshop);
        assert_eq!(book.median("searches", "ours", "answered"), Some(2.0));
        assert_eq!(book.median("searches", "ours", "other"), None);
        let error = anyhow::anyhow!("database\n is locked").context("/somewhere");
        book.note_failure("searches", "peer", 1, &error);
        book.note_failure("searches", "peer", 1, &error);
        let note = Note { who: "peer".to_owned(), text: "failed in round 2: database is locked".to_owned() };
        assert_eq!(book.scenarios["searches"].notes, [note]);
        assert_eq!(book.median("searches", "ours", "answered"), Some(2.0), "a peer's failure is no failure of ours");
        book.fail("searches", &error);
        assert_eq!(book.median("searches", "ours", "answered"), None);
        book.begin("searches", &workshop);
        assert_eq!(book.median("searches", "ours", "answered"), None);
        assert!(book.scenarios["searches"].notes.is_empty() && book.scenarios["searches"].failure.is_none());
    }
}
