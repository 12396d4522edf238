//! What can be measured.

mod age;
mod drain;
pub(crate) mod export;
mod idle;
mod latency;
mod lighthouse;
mod loaded;
pub(crate) mod page;
mod plain_inserts;
mod screen;
mod searches;
mod streams;
pub(crate) mod visit;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::bail;

use crate::arguments::Arguments;
use crate::book::Book;
use crate::report::Plot;
use crate::summary::Summary;
use crate::workshop::Workshop;

pub(crate) use self::age::{NEW, OLD};

type Measuring<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

pub(crate) struct Scenario {
    /// What `--only` calls it.
    pub name: &'static str,
    pub title: &'static str,
    /// How it is measured, and what its columns mean.
    pub method: &'static str,
    /// Contestants, and what is certain once they have answered.
    pub promises: &'static [(&'static str, &'static str)],
    pub plots: &'static [PlotOf],
    /// How long all rounds of it take, roughly.
    pub lasts: fn(&Workshop) -> Duration,
    pub measure: for<'a> fn(&'a Workshop, &'a mut Book) -> Measuring<'a>,
}

/// A figure that is drawn for all who have it.
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

/// Those that were asked for, in the order of the report.
pub(crate) fn wanted(arguments: &Arguments) -> anyhow::Result<Vec<&'static Scenario>> {
    let names: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
    if let Some(unknown) = arguments.only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no {unknown}; there are {}", names.join(", "));
    }
    let is_wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    Ok(ALL.iter().copied().filter(|scenario| is_wanted(scenario.name)).collect())
}

/// All plots for which there are figures.
pub(crate) fn plots(book: &Book) -> Vec<Plot> {
    let of = |scenario: &Scenario, plot: &PlotOf| {
        let figures = book.scenarios.get(scenario.name)?.figures.iter().filter(|figure| figure.what == plot.what);
        let unit = figures.clone().next()?.unit.clone();
        let bars = figures.filter_map(|figure| Some((figure.who.clone(), Summary::of(&figure.rounds)?))).collect();
        Some(Plot { file: plot.file, title: plot.title, unit, bars })
    };
    ALL.iter().flat_map(|scenario| scenario.plots.iter().filter_map(|plot| of(scenario, plot))).collect()
}

/// What came of a contestant's round. A peer that fails is noted and passed over; a failure of ours is one.
fn noted<T>(
    book: &mut Book,
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
            book.note_failure(scenario, who, round, &error);
            Ok(None)
        }
    }
}

/// Each round begins with another one, so that none always stands behind the same.
fn in_turn<T: Copy>(contestants: &[T], round: u32) -> impl Iterator<Item = T> {
    let first = round as usize % contestants.len();
    contestants[first..].iter().chain(&contestants[..first]).copied()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::book::Chapter;

    #[test]
    fn a_peer_may_fail_and_ours_may_not() {
        let mut book = Book::default();
        book.scenarios.insert("drain".to_owned(), Chapter::default());
        let mut outcome = |is_ours, outcome| noted(&mut book, ("drain", "who"), is_ours, 1, outcome);
        assert_eq!(outcome(false, Ok(7)).expect("no failure"), Some(7));
        assert_eq!(outcome(false, Err(anyhow!("locked"))).expect("only noted"), None);
        outcome(true, Err(anyhow!("locked"))).expect_err("ours has failed");
        let notes = &book.scenarios["drain"].notes;
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].text, "failed in round 2: locked");
    }

    #[test]
    fn each_scenario_has_a_name_of_its_own_and_takes_turns() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(in_turn(&[1, 2, 3], 4).collect::<Vec<_>>(), [2, 3, 1]);
    }
}
