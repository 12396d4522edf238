//! What can be measured.

mod age;
mod drain;
mod idle;
mod latency;
mod loaded;
mod plain_inserts;
mod screen;
mod searches;
mod streams;
mod visit;

use std::future::Future;
use std::pin::Pin;

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
    &idle::SCENARIO,
    &streams::SCENARIO,
    &visit::SCENARIO,
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

/// Each round begins with another one, so that none always stands behind the same.
fn in_turn<T: Copy>(contestants: &[T], round: u32) -> impl Iterator<Item = T> {
    let first = round as usize % contestants.len();
    contestants[first..].iter().chain(&contestants[..first]).copied()
}
