//! What the figures are to be. A goal that is missed fails nothing: the table says so, and by how much.

use crate::book::Book;
use crate::report::readable;
use crate::scenarios::{NEW, OLD};

/// One line of the table.
pub(crate) struct Goal {
    pub what: &'static str,
    /// In words.
    pub wanted: &'static str,
    /// None where it was not measured.
    pub reached: Option<Reached>,
    /// Why not.
    pub unmeasured: &'static str,
}

pub(crate) struct Reached {
    pub figure: String,
    pub is_met: bool,
}

const NOT_RUN: &str = "not measured yet";
const NO_EXPORT: &str = "there is no export yet";
const BY_BROWSER: &str = "not measured here: it needs a browser";

const SQLITE: &str = "ours, SQLite";
const POSTGRES: &str = "ours, PostgreSQL";

/// All of them, with what this book says of them.
pub(crate) fn all(book: &Book) -> Vec<Goal> {
    let goal = |what, wanted, reached| Goal { what, wanted, reached, unmeasured: NOT_RUN };
    let later = |what, wanted, unmeasured| Goal { what, wanted, reached: None, unmeasured };
    let searches = |who, factor| times(book, ["searches", "sustained"], SQLITE, who, factor);
    let drain = |who, factor| times(book, ["drain", "rate"], SQLITE, who, factor);
    let aged = |what| times(book, ["age", what], OLD, NEW, 1.0 / 1.2);
    let slower = |what| at_most_times(book, ["age", what], OLD, NEW, 1.2);
    let value = |scenario, who, what, limit, unit| within(book.median(scenario, who, what), limit, unit);
    let latency = |who| latency(book, who);
    vec![
        goal("searches/s, beside the same function without a store", "at least 0.3 times", searches("no store", 0.3)),
        goal("searches/s, beside an empty axum handler", "at least 0.2 times", searches("empty axum", 0.2)),
        goal(
            "searches/s, beside the original (development)",
            "at least 30 times",
            searches("Flask, development", 30.0),
        ),
        goal("searches/s, beside the original (gunicorn)", "at least 30 times", searches("Flask, gunicorn", 30.0)),
        goal("latency with logging", LATENCY, latency(SQLITE)),
        goal("latency with `--log-delay 15s`", LATENCY, latency("ours, SQLite, --log-delay 15s")),
        goal("latency with a million jobs waiting", LATENCY, latency("ours, SQLite, 15 s and a million jobs waiting")),
        goal("drain", "at least 50,000 jobs/s", least(book.median("drain", SQLITE, "rate"), 50_000.0, "/s")),
        goal("drain, beside apalis at its best", "at least 1.2 times", drain("apalis-sqlite, best", 1.2)),
        goal("drain, beside plain inserts", "at least 0.5 times", drain("plain inserts, SQLite", 0.5)),
        goal(
            "drain, PostgreSQL",
            "at least 30,000 jobs/s",
            least(book.median("drain", POSTGRES, "rate"), 30_000.0, "/s"),
        ),
        goal("answer to screen, p50", "at most 5 ms", value("screen", SQLITE, "p50", 5.0, "ms")),
        goal("answer to screen, p99", "at most 20 ms", value("screen", SQLITE, "p99", 20.0, "ms")),
        goal("answer to screen, p50, PostgreSQL", "at most 10 ms", value("screen", POSTGRES, "p50", 10.0, "ms")),
        goal("answer to screen, p99, PostgreSQL", "at most 40 ms", value("screen", POSTGRES, "p99", 40.0, "ms")),
        goal("age: searches/s", "at least 1/1.2 of the new system's", aged("sustained")),
        goal("age: p50", "at most 1.2 times the new system's", slower("p50")),
        goal("age: p99", "at most 1.2 times the new system's", slower("p99")),
        goal("idle: processor time", "at most 1 ms a second", value("idle", SQLITE, "CPU", 1.0, "ms/s")),
        goal("idle: memory", "at most 25 MiB", value("idle", SQLITE, "resident", 25.0, "MiB")),
        goal("idle: SQL", "none", value("idle", SQLITE, "calls to the database", 0.0, "calls/s")),
        goal("start on 10 million rows", "ready within 50 ms", value("age", OLD, "ready", 50.0, "ms")),
        goal("10,000 event streams", "at most 10 KiB each", value("streams", SQLITE, "memory of each", 10.0, "KiB")),
        goal("first visit, all files", "at most 100 KB", value("visit", "all", "size", 100.0, "KB")),
        later("Lighthouse, mobile", "100 / 100 / 100 / 100", BY_BROWSER),
        later("log page on 10 million rows", "first rows within 100 ms", BY_BROWSER),
        later("export of 10 million rows", "at least 500,000 rows/s", NO_EXPORT),
    ]
}

const LATENCY: &str = "p50: 1.5 times and an fsync; p99: 1.5 times and two";

/// Against the same function without a store, in the same rounds.
fn latency(book: &Book, who: &str) -> Option<Reached> {
    let fsync = book.median("latency", "fsync", "median")?;
    let of = |who, what| book.median("latency", who, what);
    let (p50, p99) = (of(who, "p50")?, of(who, "p99")?);
    let (p50_limit, p99_limit) = (of("no store", "p50")? * 1.5 + fsync, of("no store", "p99")? * 1.5 + 2.0 * fsync);
    let beside = |value, limit| format!("{} of {} ms", readable(value), readable(limit));
    let figure = format!("p50 {}, p99 {}", beside(p50, p50_limit), beside(p99, p99_limit));
    Some(Reached { figure, is_met: p50 <= p50_limit && p99 <= p99_limit })
}

/// Whether the one contestant has at least so many times what the other one has.
fn times(book: &Book, [scenario, what]: [&str; 2], one: &str, other: &str, factor: f64) -> Option<Reached> {
    let ratio = book.median(scenario, one, what)? / book.median(scenario, other, what)?;
    Some(Reached { figure: format!("{} times", readable(ratio)), is_met: ratio >= factor })
}

fn at_most_times(book: &Book, figure: [&str; 2], one: &str, other: &str, factor: f64) -> Option<Reached> {
    let ratio = times(book, figure, other, one, 1.0 / factor)?;
    let [scenario, what] = figure;
    let figure = book.median(scenario, one, what)? / book.median(scenario, other, what)?;
    Some(Reached { figure: format!("{} times", readable(figure)), ..ratio })
}

fn least(value: Option<f64>, limit: f64, unit: &str) -> Option<Reached> {
    value.map(|value| Reached { figure: format!("{}{unit}", readable(value)), is_met: value >= limit })
}

fn within(value: Option<f64>, limit: f64, unit: &str) -> Option<Reached> {
    value.map(|value| Reached { figure: format!("{} {unit}", readable(value)), is_met: value <= limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Chapter;

    fn book(scenario: &str, figures: &[(&str, &'static str, f64)]) -> Book {
        let mut book = Book::default();
        let revision = String::new();
        let chapter = Chapter { unix_seconds: 0, revision, rounds: 1, seconds: 1, figures: Vec::new() };
        book.scenarios.insert(scenario.to_owned(), chapter);
        for (who, what, value) in figures {
            book.add(scenario, who, (what, ""), *value);
        }
        book
    }

    #[test]
    fn a_goal_without_figures_is_neither_met_nor_missed() {
        assert!(all(&Book::default()).iter().all(|goal| goal.reached.is_none()));
    }

    #[test]
    fn a_ratio_is_met_from_its_factor_on() {
        let is_met = |ours| {
            let book = book("searches", &[(SQLITE, "sustained", ours), ("no store", "sustained", 10.0)]);
            times(&book, ["searches", "sustained"], SQLITE, "no store", 0.3).map(|reached| reached.is_met)
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
            latency(&book("latency", &figures), SQLITE).map(|reached| reached.is_met)
        };
        assert_eq!((is_met(10.0), is_met(10.1)), (Some(true), Some(false)));
    }
}
