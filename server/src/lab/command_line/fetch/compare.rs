//! `lab compare`: the same requests in each style, one after the other.

use std::process::ExitCode;

use api::LabStyle;
use lab::FetchPlan;
use serde::Serialize;

use super::super::config::LabCompare;
use super::super::words::seconds;
use super::arrivals::Arrivals;
use super::document::{self, Document};
use super::goal::Goal;
use super::run::{self, Run, Stop};
use super::{code, print, table, waterfall};
use crate::cli::CommandError;

#[derive(Serialize)]
struct Comparison<'a> {
    runs: Vec<Compared<'a>>,
}

#[derive(Serialize)]
struct Compared<'a> {
    /// How many times as quick as the first.
    speed_up: Option<f64>,
    #[serde(flatten)]
    run: Document<'a>,
}

/// Prints a line of the table as each style has ended, and then a picture of each.
pub async fn lab_compare(asked: &LabCompare) -> Result<ExitCode, CommandError> {
    let specs = asked.specs().map_err(CommandError)?;
    let (stop, is_json) = (Stop::listen()?, asked.requests.json);
    let mut runs: Vec<Run> = Vec::new();
    for spec in specs {
        if stop.is_given() {
            break;
        }
        let goal = Goal::of(&asked.requests, &spec).await?;
        if runs.is_empty() && !is_json {
            print(&table::head(&spec));
        }
        // Only the bar: what arrives is in the pictures.
        let mut bar = Arrivals::on_standard_streams(spec.work, spec.count, true);
        let plan = FetchPlan::new(goal.target(), spec.clone());
        let run = run::run(plan, spec, &stop.token(), |trace, fact| bar.see(trace, fact)).await?;
        bar.end();
        if !is_json {
            print(&table::row(&run, speed_up(&run, runs.first().unwrap_or(&run))));
        }
        runs.push(run);
    }
    if is_json {
        let compared = |run| Compared { speed_up: speed_up(run, &runs[0]), run: Document::of(run) };
        print(&document::line(&Comparison { runs: runs.iter().map(compared).collect() }));
    } else {
        print(&pictures(&runs, asked.columns));
    }
    Ok(code(&stop, runs.iter().map(|run| run.summary.done).sum()))
}

/// How many times as quick as the sequential one. None where that is not known.
fn speed_up(run: &Run, first: &Run) -> Option<f64> {
    let is_known = first.spec.style == LabStyle::Sequential && run.summary.elapsed_us > 0;
    is_known.then(|| seconds(first.summary.elapsed_us) / seconds(run.summary.elapsed_us))
}

/// All on one scale, so that the shorter run is the shorter picture.
fn pictures(runs: &[Run], columns: usize) -> String {
    let longest_us = runs.iter().map(|run| run.trace.latest_us).max().unwrap_or(0);
    let picture = |run: &Run| {
        let lines = waterfall::draw(&run.trace, columns, longest_us);
        format!("\n{}\n{}\n", run.spec.style.as_str(), lines.join("\n"))
    };
    runs.iter().map(picture).collect()
}
