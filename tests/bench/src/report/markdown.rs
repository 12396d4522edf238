//! The report as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{machine, readable};
use crate::goals::{self, Goal, Outcome, Reached};
use crate::measurements::Summary;
use crate::measurements::{Figure, Measurements, Note, ScenarioResult};
use crate::scenarios::{self, PlotOf, Scenario};

/// The method of all figures.
const METHOD: &str = "\
Everything is measured from outside, on one machine: the release binary as a process of its own, the load generator \
beside it as another, each contestant on a new database on the same disk. A round goes through all contestants, and \
the next one begins with another of them.\n\n\
A figure is the median of the rounds, with the least and the most behind it. `×1.25` says that it is 1.25 times what it \
was in an earlier run. Processor time is what the kernel has booked for the contestant's processes (PostgreSQL's \
included, the load generator's not) until the last row was written: of all figures it depends least on what else the \
machine does.\n\n\
After each run the log is compared with the answers: if a search that ours has answered does not stand in it exactly \
once, the run fails; what others lose is in the column \"lost\". A peer that fails in a round is named below the table, \
which then shows its other rounds. What differs in what it promises is not compared without saying so.\n";

/// The text before the goals.
const GOALS: &str = "\
What the figures are to be; no test insists on them. \"Times\" compares with the other contestant's figure of the same \
rounds.\n\n";

/// With more figures than this after the first, a table would be too wide.
const MANY: usize = 5;

/// The whole report. `before` is an earlier run.
pub(crate) fn report(measurements: &Measurements, before: Option<&Measurements>) -> String {
    let mut text = format!("# Performance\n\nWritten by `cargo xtask bench --write-docs`.\n\n{METHOD}\n");
    text += &format!("Measured on {}.\n\n## Goals\n\n{GOALS}{}", machine(), goals(measurements));
    for scenario in scenarios::ALL {
        if let Some(result) = measurements.scenarios.get(scenario.name) {
            let earlier = before.and_then(|before| before.scenarios.get(scenario.name));
            text += &section(scenario, result, earlier.filter(|earlier| earlier.unix_seconds != result.unix_seconds));
        }
    }
    text
}

/// The goals as a table.
pub(crate) fn goals(measurements: &Measurements) -> String {
    let mut text = "| what | goal | figure | outcome |\n| --- | --- | --- | --- |\n".to_owned();
    for Goal { what, wanted, reached } in goals::all(measurements) {
        let (figure, verdict) = match &reached {
            Outcome::Measured(Reached { figure, is_met }) => {
                (figure.as_str(), if *is_met { "met" } else { "**missed**" })
            }
            Outcome::Unmeasured(why) => ("", why.as_str()),
        };
        text += &format!("| {what} | {wanted} | {figure} | {verdict} |\n");
    }
    text
}

fn section(scenario: &Scenario, result: &ScenarioResult, before: Option<&ScenarioResult>) -> String {
    let ScenarioResult { revision, rounds, seconds, figures, notes, failure, .. } = result;
    let mut text = format!("\n## {}\n\n{}\n\n", scenario.title, scenario.method);
    text += &format!("{} of {seconds} s, of {revision}", counted(*rounds, "round"));
    text += &before.map_or(".\n\n".to_owned(), |before| format!("; ratios (×) are to {}.\n\n", before.revision));
    if let Some(failure) = failure {
        let _ = writeln!(text, "**Ours has failed**, so none of these figures counts: {failure}.\n");
    }
    text += &table(figures, before);
    if !notes.is_empty() {
        text.push('\n');
    }
    for Note { who, text: said } in notes {
        let _ = writeln!(text, "- {who}: {said}.");
    }
    if !scenario.promises.is_empty() {
        text += "\nWhat is certain once a search was answered:\n\n";
    }
    for (who, promise) in scenario.promises {
        let _ = writeln!(text, "- {who}: {promise}");
    }
    let drawn = |plot: &&PlotOf| figures.iter().any(|figure| figure.what == plot.what);
    for plot in scenario.plots.iter().filter(drawn) {
        let _ = write!(text, "\n![{}](performance/{})\n", plot.title, plot.file);
    }
    text
}

/// One line per contestant and one column per figure; or one line per figure if a single contestant has many.
fn table(figures: &[Figure], before: Option<&ScenarioResult>) -> String {
    if let [first, others @ ..] = figures
        && others.len() >= MANY
        && others.iter().all(|figure| figure.who == first.who)
    {
        return list(&first.who, figures, before);
    }
    if figures.is_empty() {
        return String::new();
    }
    let mut seen = BTreeSet::new();
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for figure in figures {
        if seen.insert(&figure.what) {
            columns.push((&figure.what, &figure.unit));
        }
    }
    let mut text = "| |".to_owned();
    for (what, unit) in &columns {
        let _ = write!(text, " {} |", format!("{what} {unit}").trim());
    }
    let _ = writeln!(text, "\n| --- |{}", " ---: |".repeat(columns.len()));
    let mut contestants: Vec<&str> = Vec::new();
    for figure in figures {
        if !contestants.contains(&figure.who.as_str()) {
            contestants.push(&figure.who);
        }
    }
    for who in contestants {
        let _ = write!(text, "| {who} |");
        for (what, _) in &columns {
            let found = find(figures, who, what);
            let earlier = before.and_then(|before| find(&before.figures, who, what));
            let _ = write!(text, " {} |", found.map_or(String::new(), |found| cell(found, earlier)));
        }
        text.push('\n');
    }
    text
}

/// One line per figure of the only contestant.
fn list(who: &str, figures: &[Figure], before: Option<&ScenarioResult>) -> String {
    let mut text = format!("| {who} | | |\n| --- | ---: | --- |\n");
    for Figure { what, unit, rounds, .. } in figures {
        let earlier = before.and_then(|before| find(&before.figures, who, what));
        let cell = Summary::of(rounds).map_or(String::new(), |found| cell(found, earlier));
        let _ = writeln!(text, "| {what} | {cell} | {unit} |");
    }
    text
}

fn counted(number: u32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn find(figures: &[Figure], who: &str, what: &str) -> Option<Summary> {
    Summary::of(&figures.iter().find(|figure| figure.who == who && figure.what == what)?.rounds)
}

/// The median, its range, and its ratio to the earlier figure.
fn cell(Summary { median, least, most }: Summary, before: Option<Summary>) -> String {
    let mut text = readable(median);
    if readable(least) != readable(most) {
        let _ = write!(text, " ({} to {})", readable(least), readable(most));
    }
    if let Some(before) = before.filter(|before| before.median > 0.0) {
        let _ = write!(text, " ×{:.2}", median / before.median);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(who: &str, what: &str, rounds: &[f64]) -> Figure {
        Figure { who: who.to_owned(), what: what.to_owned(), unit: "/s".to_owned(), rounds: rounds.to_vec() }
    }

    #[test]
    fn failures_are_noted_beside_the_figures() {
        let mut result =
            ScenarioResult { revision: "abc".to_owned(), rounds: 1, seconds: 5, ..ScenarioResult::default() };
        result.figures = vec![figure("a", "x", &[1.0])];
        result.notes = vec![Note { who: "b".to_owned(), text: "failed in round 2: locked".to_owned() }];
        let said = |result: &ScenarioResult| section(scenarios::ALL[0], result, None);
        let calm = said(&result);
        assert!(calm.contains("\n1 round of 5 s, of abc.\n\n| | x /s |\n"), "{calm}");
        assert!(calm.contains("| a | 1.00 |\n\n- b: failed in round 2: locked.\n"), "{calm}");
        assert!(!calm.contains("Ours has failed"), "{calm}");
        assert!(!calm.contains(".svg"), "nothing is drawn without figures: {calm}");
        result.failure = Some("a row is missing".to_owned());
        let failed = said(&result);
        assert!(failed.contains("**Ours has failed**, so none of these figures counts: a row is missing."), "{failed}");
    }

    #[test]
    fn one_contestant_with_many_figures_has_a_line_per_figure() {
        let figures: Vec<_> = ["p", "q", "r", "s", "t", "u"].map(|what| figure("ours", what, &[2.0])).into();
        let list = table(&figures, None);
        assert!(list.starts_with("| ours | | |\n| --- | ---: | --- |\n| p | 2.00 | /s |\n| q |"), "{list}");
        assert!(table(&figures[1..], None).starts_with("| | q /s | r /s |"), "few figures are columns");
        assert_eq!(table(&[], None), "");
    }

    #[test]
    fn a_line_has_a_cell_per_figure_and_a_ratio_to_the_earlier_one() {
        let figures = [figure("a", "x", &[1.0, 3.0]), figure("b", "x", &[4.0]), figure("b", "y", &[2000.0])];
        let before = ScenarioResult {
            unix_seconds: 0,
            revision: "old".to_owned(),
            rounds: 1,
            seconds: 1,
            figures: vec![figure("b", "x", &[2.0])],
            ..ScenarioResult::default()
        };
        let expected = "| | x /s | y /s |\n| --- | ---: | ---: |\n\
                        | a | 2.00 (1.00 to 3.00) |  |\n| b | 4.00 ×2.00 | 2,000 |\n";
        assert_eq!(table(&figures, Some(&before)), expected);
    }
}
