//! What the figures are to be. A goal that is missed fails nothing: the table says so, and by how much.

mod client;
mod reached;

use self::client::{client, page};
use self::reached::{at_most_times, latency, least, times, within};
use crate::book::Book;
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
    /// And why not.
    Unmeasured(String),
}

pub(crate) struct Reached {
    pub figure: String,
    pub is_met: bool,
}

const SQLITE: &str = "ours, SQLite";
const POSTGRES: &str = "ours, PostgreSQL";
const LATENCY: &str = "p50: 1.5 times and an fsync; p99: 1.5 times and two";

/// All of them, with what this book says of them.
pub(crate) fn all(book: &Book) -> Vec<Goal> {
    [
        searches(book),
        latencies(book),
        drain(book),
        screen(book),
        age(book),
        idle(book),
        client(book),
        page(book),
        export(book),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `about` is the scenario, and who or what in it a note would be about.
fn goal(book: &Book, about: [&str; 2], what: &'static str, wanted: &'static str, reached: Option<Reached>) -> Goal {
    let reached = reached.map_or_else(|| Outcome::Unmeasured(why_not(book, about)), Outcome::Measured);
    Goal { what, wanted, reached }
}

fn why_not(book: &Book, [scenario, who]: [&str; 2]) -> String {
    let Some(chapter) = book.scenarios.get(scenario) else { return "not measured yet".to_owned() };
    if chapter.failure.is_some() {
        return "**ours has failed**".to_owned();
    }
    let note = chapter.notes.iter().find(|note| note.who == who);
    note.map_or_else(|| "not measured".to_owned(), |note| note.text.clone())
}

fn searches(book: &Book) -> Vec<Goal> {
    let beside = |what, wanted, who, factor| {
        goal(book, ["searches", who], what, wanted, times(book, ["searches", "sustained"], SQLITE, who, factor))
    };
    vec![
        beside("searches/s, beside the same function without a store", "at least 0.3 times", "no store", 0.3),
        beside("searches/s, beside an empty axum handler", "at least 0.2 times", "empty axum", 0.2),
        beside("searches/s, beside the original (development)", "at least 30 times", "Flask, development", 30.0),
        beside("searches/s, beside the original (gunicorn)", "at least 30 times", "Flask, gunicorn", 30.0),
    ]
}

fn latencies(book: &Book) -> Vec<Goal> {
    let of = |what, who| goal(book, ["latency", who], what, LATENCY, latency(book, who));
    vec![
        of("latency with logging", SQLITE),
        of("latency with `--log-delay 15s`", "ours, SQLite, --log-delay 15s"),
        of("latency with a million jobs waiting", "ours, SQLite, 15 s and a million jobs waiting"),
    ]
}

fn drain(book: &Book) -> Vec<Goal> {
    let rate = |what, wanted, who, limit| {
        goal(book, ["drain", who], what, wanted, least(book.median("drain", who, "rate"), limit, "/s"))
    };
    let beside = |what, wanted, who, factor| {
        goal(book, ["drain", who], what, wanted, times(book, ["drain", "rate"], SQLITE, who, factor))
    };
    vec![
        rate("drain", "at least 50,000 jobs/s", SQLITE, 50_000.0),
        beside("drain, beside apalis at its best", "at least 1.2 times", "apalis-sqlite, best", 1.2),
        beside("drain, beside plain inserts", "at least 0.5 times", "plain inserts, SQLite", 0.5),
        rate("drain, PostgreSQL", "at least 30,000 jobs/s", POSTGRES, 30_000.0),
    ]
}

fn screen(book: &Book) -> Vec<Goal> {
    let of = |what, wanted, who, quantile, limit| {
        goal(book, ["screen", who], what, wanted, within(book.median("screen", who, quantile), limit, "ms"))
    };
    vec![
        of("answer to screen, p50", "at most 5 ms", SQLITE, "p50", 5.0),
        of("answer to screen, p99", "at most 20 ms", SQLITE, "p99", 20.0),
        of("answer to screen, p50, PostgreSQL", "at most 10 ms", POSTGRES, "p50", 10.0),
        of("answer to screen, p99, PostgreSQL", "at most 40 ms", POSTGRES, "p99", 40.0),
    ]
}

fn age(book: &Book) -> Vec<Goal> {
    let of = |what, wanted, reached| goal(book, ["age", OLD], what, wanted, reached);
    let slower = |what| at_most_times(book, ["age", what], OLD, NEW, 1.2);
    let as_many = times(book, ["age", "sustained"], OLD, NEW, 1.0 / 1.2);
    vec![
        of("age: searches/s", "at least 1/1.2 of the new system's", as_many),
        of("age: p50", "at most 1.2 times the new system's", slower("p50")),
        of("age: p99", "at most 1.2 times the new system's", slower("p99")),
        of("start on 10 million rows", "ready within 50 ms", within(book.median("age", OLD, "ready"), 50.0, "ms")),
    ]
}

fn idle(book: &Book) -> Vec<Goal> {
    let of = |what, wanted, figure, limit, unit| {
        goal(book, ["idle", SQLITE], what, wanted, within(book.median("idle", SQLITE, figure), limit, unit))
    };
    let streams = within(book.median("streams", SQLITE, "memory of each"), 10.0, "KiB");
    vec![
        of("idle: processor time", "at most 1 ms a second", "CPU", 1.0, "ms/s"),
        of("idle: memory", "at most 25 MiB", "resident", 25.0, "MiB"),
        of("idle: SQL", "none", "calls to the database", 0.0, "calls/s"),
        goal(book, ["streams", SQLITE], "10,000 event streams", "at most 10 KiB each", streams),
    ]
}

fn export(book: &Book) -> Vec<Goal> {
    let export = |what, wanted, reached| goal(book, ["export", export::LARGE], what, wanted, reached);
    let rate = least(book.median("export", export::LARGE, "rate"), 500_000.0, " rows/s");
    let memory = at_most_times(book, ["export", "most memory"], export::LARGE, export::SMALL, 1.2);
    vec![
        export("export of 10 million rows", "at least 500,000 rows/s", rate),
        export("export of 10 million rows: memory", "at most 1.2 times that for 1 million", memory),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Chapter;

    pub(in crate::goals) fn book(scenario: &str, figures: &[(&str, &'static str, f64)]) -> Book {
        let mut book = Book::default();
        let chapter = Chapter { rounds: 1, seconds: 1, ..Chapter::default() };
        book.scenarios.insert(scenario.to_owned(), chapter);
        for (who, what, value) in figures {
            book.add(scenario, who, (what, ""), *value);
        }
        book
    }

    #[test]
    fn a_goal_without_figures_is_neither_met_nor_missed() {
        assert!(all(&Book::default()).iter().all(|goal| matches!(goal.reached, Outcome::Unmeasured(_))));
    }

    #[test]
    fn what_was_not_measured_says_why() {
        let said = |book: &Book| match &all(book).pop().expect("there are goals").reached {
            Outcome::Measured(reached) => reached.figure.clone(),
            Outcome::Unmeasured(why) => why.clone(),
        };
        assert_eq!(said(&Book::default()), "not measured yet");
        let mut book = book("export", &[]);
        assert_eq!(said(&book), "not measured");
        book.note("export", export::LARGE, "there is no export");
        assert_eq!(said(&book), "there is no export");
        for (who, memory) in [(export::LARGE, 13.0), (export::SMALL, 10.0)] {
            book.add("export", who, ("most memory", "MiB"), memory);
        }
        assert_eq!(said(&book), "1.30 times");
        book.fail("export", &anyhow::anyhow!("a row is missing"));
        assert_eq!(said(&book), "**ours has failed**");
    }
}
