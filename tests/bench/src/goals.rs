//! The goals for the figures. A missed goal is not a failure: the table shows by how much it is missed.

mod client;

use crate::goals::client::{client, page};
use crate::measurements::Measurements;
use crate::report::readable;
use crate::scenarios::{NEW, OLD, export};

/// One line of the table.
pub(crate) struct Goal {
    pub what: &'static str,
    /// In words.
    pub wanted: &'static str,
    pub reached: Outcome,
}

pub(crate) enum Outcome {
    Measured(Reached),
    /// With the reason.
    Unmeasured(String),
}

pub(crate) struct Reached {
    pub figure: String,
    pub is_met: bool,
}

const SQLITE: &str = "ours, SQLite";
const POSTGRES: &str = "ours, PostgreSQL";
const LATENCY: &str = "p50: 1.5 times and an fsync; p99: 1.5 times and two";

/// All goals, with their results in `measurements`.
pub(crate) fn all(measurements: &Measurements) -> Vec<Goal> {
    [
        searches(measurements),
        latencies(measurements),
        drain(measurements),
        screen(measurements),
        age(measurements),
        idle(measurements),
        client(measurements),
        page(measurements),
        export(measurements),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `about` is the scenario, and the contestant whose notes would explain a missing figure.
fn goal(
    measurements: &Measurements,
    about: [&str; 2],
    what: &'static str,
    wanted: &'static str,
    reached: Option<Reached>,
) -> Goal {
    let reached = reached.map_or_else(|| Outcome::Unmeasured(why_not(measurements, about)), Outcome::Measured);
    Goal { what, wanted, reached }
}

fn why_not(measurements: &Measurements, [scenario, who]: [&str; 2]) -> String {
    let Some(result) = measurements.scenarios.get(scenario) else { return "not measured yet".to_owned() };
    if result.failure.is_some() {
        return "**ours has failed**".to_owned();
    }
    let note = result.notes.iter().find(|note| note.who == who);
    note.map_or_else(|| "not measured".to_owned(), |note| note.text.clone())
}

fn searches(measurements: &Measurements) -> Vec<Goal> {
    let beside = |what, wanted, who, factor| {
        goal(
            measurements,
            ["searches", who],
            what,
            wanted,
            times(measurements, ["searches", "sustained"], SQLITE, who, factor),
        )
    };
    vec![
        beside("searches/s, beside the same function without a store", "at least 0.3 times", "no store", 0.3),
        beside("searches/s, beside an empty axum handler", "at least 0.2 times", "empty axum", 0.2),
        beside("searches/s, beside the original (development)", "at least 30 times", "Flask, development", 30.0),
        beside("searches/s, beside the original (gunicorn)", "at least 30 times", "Flask, gunicorn", 30.0),
    ]
}

fn latencies(measurements: &Measurements) -> Vec<Goal> {
    let of = |what, who| goal(measurements, ["latency", who], what, LATENCY, latency(measurements, who));
    vec![
        of("latency with logging", SQLITE),
        of("latency with `--log-delay 15s`", "ours, SQLite, --log-delay 15s"),
        of("latency with a million jobs waiting", "ours, SQLite, 15 s and a million jobs waiting"),
    ]
}

fn drain(measurements: &Measurements) -> Vec<Goal> {
    let rate = |what, wanted, who, limit| {
        goal(measurements, ["drain", who], what, wanted, least(measurements.median("drain", who, "rate"), limit, "/s"))
    };
    let beside = |what, wanted, who, factor| {
        goal(measurements, ["drain", who], what, wanted, times(measurements, ["drain", "rate"], SQLITE, who, factor))
    };
    vec![
        rate("drain", "at least 60,000 jobs/s", SQLITE, 60_000.0),
        beside("drain, beside apalis at its best", "at least 1.2 times", "apalis-sqlite, best", 1.2),
        beside("drain, beside plain inserts", "at least 0.5 times", "plain inserts, SQLite", 0.5),
        rate("drain, PostgreSQL", "at least 30,000 jobs/s", POSTGRES, 30_000.0),
    ]
}

fn screen(measurements: &Measurements) -> Vec<Goal> {
    let of = |what, wanted, who, quantile, limit| {
        goal(
            measurements,
            ["screen", who],
            what,
            wanted,
            within(measurements.median("screen", who, quantile), limit, "ms"),
        )
    };
    vec![
        of("answer to screen, p50", "at most 5 ms", SQLITE, "p50", 5.0),
        of("answer to screen, p99", "at most 20 ms", SQLITE, "p99", 20.0),
        of("answer to screen, p50, PostgreSQL", "at most 10 ms", POSTGRES, "p50", 10.0),
        of("answer to screen, p99, PostgreSQL", "at most 40 ms", POSTGRES, "p99", 40.0),
    ]
}

fn age(measurements: &Measurements) -> Vec<Goal> {
    let of = |what, wanted, reached| goal(measurements, ["age", OLD], what, wanted, reached);
    let slower = |what| at_most_times(measurements, ["age", what], OLD, NEW, 1.1);
    let as_many = times(measurements, ["age", "sustained"], OLD, NEW, 1.0 / 1.1);
    vec![
        of("age: searches/s", "at least 1/1.1 of the new system's", as_many),
        of("age: p50", "at most 1.1 times the new system's", slower("p50")),
        of("age: p99", "at most 1.1 times the new system's", slower("p99")),
        of(
            "start on 10 million rows",
            "ready within 50 ms",
            within(measurements.median("age", OLD, "ready"), 50.0, "ms"),
        ),
    ]
}

fn idle(measurements: &Measurements) -> Vec<Goal> {
    let of = |what, wanted, figure, limit, unit| {
        goal(
            measurements,
            ["idle", SQLITE],
            what,
            wanted,
            within(measurements.median("idle", SQLITE, figure), limit, unit),
        )
    };
    let streams = within(measurements.median("streams", SQLITE, "memory of each"), 16.0, "KiB");
    vec![
        of("idle: processor time", "at most 1 ms a second", "CPU", 1.0, "ms/s"),
        of("idle: memory", "at most 25 MiB", "resident", 25.0, "MiB"),
        of("idle: SQL", "none", "calls to the database", 0.0, "calls/s"),
        goal(measurements, ["streams", SQLITE], "10,000 event streams", "at most 16 KiB each", streams),
    ]
}

fn export(measurements: &Measurements) -> Vec<Goal> {
    let export = |what, wanted, reached| goal(measurements, ["export", export::LARGE], what, wanted, reached);
    let rate = least(measurements.median("export", export::LARGE, "rate"), 500_000.0, " rows/s");
    let memory = at_most_times(measurements, ["export", "most memory"], export::LARGE, export::SMALL, 1.2);
    vec![
        export("export of 10 million rows", "at least 500,000 rows/s", rate),
        export("export of 10 million rows: memory", "at most 1.2 times that for 1 million", memory),
    ]
}

/// Latency against the same function without a store, in the same rounds.
pub(super) fn latency(measurements: &Measurements, who: &str) -> Option<Reached> {
    let fsync = measurements.median("latency", "fsync", "median")?;
    let of = |who, what| measurements.median("latency", who, what);
    let (p50, p99) = (of(who, "p50")?, of(who, "p99")?);
    let (p50_limit, p99_limit) = (of("no store", "p50")? * 1.5 + fsync, of("no store", "p99")? * 1.5 + 2.0 * fsync);
    let beside = |value, limit| format!("{} of {} ms", readable(value), readable(limit));
    let figure = format!("p50 {}, p99 {}", beside(p50, p50_limit), beside(p99, p99_limit));
    Some(Reached { figure, is_met: p50 <= p50_limit && p99 <= p99_limit })
}

/// Whether a contestant's figure is at least `factor` times another's.
pub(super) fn times(
    measurements: &Measurements,
    [scenario, what]: [&str; 2],
    one: &str,
    other: &str,
    factor: f64,
) -> Option<Reached> {
    let ratio = measurements.median(scenario, one, what)? / measurements.median(scenario, other, what)?;
    Some(Reached { figure: format!("{} times", readable(ratio)), is_met: ratio >= factor })
}

pub(super) fn at_most_times(
    measurements: &Measurements,
    figure: [&str; 2],
    one: &str,
    other: &str,
    factor: f64,
) -> Option<Reached> {
    let ratio = times(measurements, figure, other, one, 1.0 / factor)?;
    let [scenario, what] = figure;
    let figure = measurements.median(scenario, one, what)? / measurements.median(scenario, other, what)?;
    Some(Reached { figure: format!("{} times", readable(figure)), ..ratio })
}

pub(super) fn least(value: Option<f64>, limit: f64, unit: &str) -> Option<Reached> {
    value.map(|value| Reached { figure: format!("{}{unit}", readable(value)), is_met: value >= limit })
}

pub(super) fn within(value: Option<f64>, limit: f64, unit: &str) -> Option<Reached> {
    value.map(|value| Reached {
        figure: format!("{} {unit}", readable(value)).trim().to_owned(),
        is_met: value <= limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::SQLITE;
    use crate::measurements::ScenarioResult;

    pub(in crate::goals) fn measurements(scenario: &str, figures: &[(&str, &'static str, f64)]) -> Measurements {
        let mut measurements = Measurements::default();
        let result = ScenarioResult { rounds: 1, seconds: 1, ..ScenarioResult::default() };
        measurements.scenarios.insert(scenario.to_owned(), result);
        for (who, what, value) in figures {
            measurements.add(scenario, who, (what, ""), *value);
        }
        measurements
    }

    #[test]
    fn a_goal_without_figures_is_neither_met_nor_missed() {
        assert!(all(&Measurements::default()).iter().all(|goal| matches!(goal.reached, Outcome::Unmeasured(_))));
    }

    #[test]
    fn an_unmeasured_goal_says_why() {
        let said = |measurements: &Measurements| match &all(measurements).pop().expect("there are goals").reached {
            Outcome::Measured(reached) => reached.figure.clone(),
            Outcome::Unmeasured(why) => why.clone(),
        };
        assert_eq!(said(&Measurements::default()), "not measured yet");
        let mut measurements = measurements("export", &[]);
        assert_eq!(said(&measurements), "not measured");
        measurements.note("export", export::LARGE, "there is no export");
        assert_eq!(said(&measurements), "there is no export");
        for (who, memory) in [(export::LARGE, 13.0), (export::SMALL, 10.0)] {
            measurements.add("export", who, ("most memory", "MiB"), memory);
        }
        assert_eq!(said(&measurements), "1.30 times");
        measurements.fail("export", &anyhow::anyhow!("a row is missing"));
        assert_eq!(said(&measurements), "**ours has failed**");
    }

    #[test]
    fn a_ratio_is_met_at_its_factor() {
        let is_met = |ours| {
            let measurements =
                measurements("searches", &[(SQLITE, "sustained", ours), ("no store", "sustained", 10.0)]);
            times(&measurements, ["searches", "sustained"], SQLITE, "no store", 0.3).map(|reached| reached.is_met)
        };
        assert_eq!((is_met(3.0), is_met(2.9)), (Some(true), Some(false)));
    }

    #[test]
    fn latency_may_cost_half_as_much_again_and_the_disk() {
        let is_met = |p99| {
            let figures = [
                ("fsync", "median", 2.0),
                ("no store", "p50", 1.0),
                ("no store", "p99", 4.0),
                (SQLITE, "p50", 3.5),
                (SQLITE, "p99", p99),
            ];
            latency(&measurements("latency", &figures), SQLITE).map(|reached| reached.is_met)
        };
        assert_eq!((is_met(10.0), is_met(10.1)), (Some(true), Some(false)));
    }
}
