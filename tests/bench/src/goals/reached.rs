//! Figures beside what they are to be.

use super::Reached;
use crate::book::Book;
use crate::report::readable;

/// Latency against the same function without a store, in the same rounds.
pub(super) fn latency(book: &Book, who: &str) -> Option<Reached> {
    let fsync = book.median("latency", "fsync", "median")?;
    let of = |who, what| book.median("latency", who, what);
    let (p50, p99) = (of(who, "p50")?, of(who, "p99")?);
    let (p50_limit, p99_limit) = (of("no store", "p50")? * 1.5 + fsync, of("no store", "p99")? * 1.5 + 2.0 * fsync);
    let beside = |value, limit| format!("{} of {} ms", readable(value), readable(limit));
    let figure = format!("p50 {}, p99 {}", beside(p50, p50_limit), beside(p99, p99_limit));
    Some(Reached { figure, is_met: p50 <= p50_limit && p99 <= p99_limit })
}

/// Whether the one contestant has at least so many times what the other one has.
pub(super) fn times(book: &Book, [scenario, what]: [&str; 2], one: &str, other: &str, factor: f64) -> Option<Reached> {
    let ratio = book.median(scenario, one, what)? / book.median(scenario, other, what)?;
    Some(Reached { figure: format!("{} times", readable(ratio)), is_met: ratio >= factor })
}

pub(super) fn at_most_times(book: &Book, figure: [&str; 2], one: &str, other: &str, factor: f64) -> Option<Reached> {
    let ratio = times(book, figure, other, one, 1.0 / factor)?;
    let [scenario, what] = figure;
    let figure = book.median(scenario, one, what)? / book.median(scenario, other, what)?;
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
    use crate::goals::tests::book;

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
