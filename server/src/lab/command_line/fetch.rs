//! `lab flags`, `lab second` and `lab compare`: many requests, and how long all of them take.

mod arrivals;
mod compare;
mod document;
mod goal;
mod run;
mod save;
mod table;
mod waterfall;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::mpsc;

use api::{FetchSpec, LabWork};
use lab::FetchPlan;

use self::arrivals::Arrivals;
use self::document::Document;
use self::goal::Goal;
use self::run::{Run, Stop};
use super::config::{LabFlags, LabRequests, LabSecond};
use super::words::{print, seconds};
use crate::cli::CommandError;

pub use self::compare::lab_compare;

/// How a program ends that an interrupt has ended.
const INTERRUPTED: u8 = 130;

/// Downloads flags, and stores them if that is asked for.
pub async fn lab_flags(asked: &LabFlags) -> Result<ExitCode, CommandError> {
    let spec = asked.spec().map_err(CommandError)?;
    let goal = Goal::of(&asked.requests, &spec).await?;
    let plan = FetchPlan::of_countries(goal.target(), spec.clone(), &asked.countries());
    let Some(folder) = asked.save.clone() else { return one(plan, spec, &asked.requests).await };
    let (bodies, saved) = mpsc::channel();
    let saving = tokio::task::spawn_blocking(move || save::save(&folder, saved));
    let code = one(plan.with_bodies(bodies), spec, &asked.requests).await?;
    saving.await.map_err(|error| CommandError(error.to_string()))??;
    Ok(code)
}

/// Asks for numbers.
pub async fn lab_second(asked: &LabSecond) -> Result<ExitCode, CommandError> {
    let spec = asked.spec().map_err(CommandError)?;
    let goal = Goal::of(&asked.requests, &spec).await?;
    one(FetchPlan::new(goal.target(), spec.clone()), spec, &asked.requests).await
}

/// Carries one plan out, and shows it.
async fn one(plan: FetchPlan, spec: FetchSpec, asked: &LabRequests) -> Result<ExitCode, CommandError> {
    let stop = Stop::listen()?;
    let mut arrivals = Arrivals::on_standard_streams(spec.work, spec.count, asked.json);
    let run = run::run(plan, spec, &stop.token(), |trace, fact| arrivals.see(trace, fact)).await?;
    arrivals.end();
    print(&if asked.json { Document::of(&run).line() } else { run.words() });
    Ok(code(&stop, run.summary.done))
}

impl Run {
    /// What came of it, for people: a line or two.
    fn words(&self) -> String {
        let one_or_many = |one: &'static str, many| if self.summary.done == 1 { one } else { many };
        let what = match self.spec.work {
            LabWork::Flags => one_or_many("flag downloaded", "flags downloaded"),
            LabWork::Second => one_or_many("number received", "numbers received"),
        };
        let first = format!("{} {what} in {:.2}s\n", self.summary.done, seconds(self.summary.elapsed_us));
        self.failures().map_or_else(|| first.clone(), |failures| format!("{first}{failures}\n"))
    }

    /// What failed, counted by kind: "2 not found, 1 timed out".
    fn failures(&self) -> Option<String> {
        let mut counts = BTreeMap::new();
        for error in self.trace.items.iter().filter_map(|item| item.error.as_ref()) {
            *counts.entry(error.kind).or_insert(0_u32) += 1;
        }
        let mut words: Vec<_> = counts.iter().map(|(kind, count)| format!("{count} {}", kind.label())).collect();
        if self.summary.cancelled > 0 {
            words.push(format!("{} cancelled", self.summary.cancelled));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

fn code(stop: &Stop, done: u32) -> ExitCode {
    match (stop.is_given(), done) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, 0) => ExitCode::FAILURE,
        (false, _) => ExitCode::SUCCESS,
    }
}
