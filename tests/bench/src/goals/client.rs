//! Goals for what the browser loads and shows.

use super::{Goal, Reached, SQLITE, goal, within};
use crate::measurements::{Kind, Measurements};
use crate::report::readable;
use crate::scenarios::{page, visit};

pub(super) fn client(measurements: &Measurements) -> Vec<Goal> {
    let visited = |who, what, limit, unit| within(measurements.median("visit", who, what), limit, unit);
    let seen = |what, limit, unit| within(measurements.median("lighthouse", SQLITE, what), limit, unit);
    let visit = |what, wanted, reached| goal(measurements, ["visit", visit::ALL], what, wanted, reached);
    let lighthouse = |what, wanted, reached| goal(measurements, ["lighthouse", SQLITE], what, wanted, reached);
    vec![
        visit("first visit, all files", "at most 100 KB", visited(visit::ALL, "size", 100.0, "KB")),
        visit("first visit, files that index.html does not name", "none", visited(visit::LATE, "files", 0.0, "files")),
        lighthouse("Lighthouse, mobile", "100 / 100 / 100 / 100", scores(measurements)),
        lighthouse("Lighthouse, total blocking time", "at most 50 ms", seen("total blocking time", 50.0, "ms")),
        lighthouse("Lighthouse, layout shift", "0", seen("layout shift", 0.0, "")),
    ]
}

fn scores(measurements: &Measurements) -> Option<Reached> {
    let categories = ["performance", "accessibility", "best practices", "search engines"];
    let scores: Option<Vec<f64>> =
        categories.iter().map(|what| measurements.median("lighthouse", SQLITE, what)).collect();
    let scores = scores?;
    let figure = scores.iter().map(|score| format!("{score:.0}")).collect::<Vec<_>>().join(" / ");
    Some(Reached { figure, is_met: scores.iter().all(|score| *score >= 99.5) })
}

pub(super) fn page(measurements: &Measurements) -> Vec<Goal> {
    let of = |(what, unit): Kind, limit| within(measurements.median("page", SQLITE, what), limit, unit);
    let page = |what, wanted, about: Kind, reached| goal(measurements, ["page", about.0], what, wanted, reached);
    vec![
        page("log page: first row after the request", "within 100 ms", page::REQUEST, of(page::REQUEST, 100.0)),
        page("log page: any jump", "within 200 ms", page::JUMP, of(page::JUMP, 200.0)),
        page("log page: any filter by number", "within 200 ms", page::FILTER, of(page::FILTER, 200.0)),
        page("log page: rows in the page", "at most 80", page::ROWS, of(page::ROWS, 80.0)),
        page("log page: scrolling", "60 frames/s, p99 at most 20 ms", page::FRAMES, scrolling(measurements)),
        page("log page: memory", "at most 30 MB", page::OBJECTS, memory(measurements)),
        page("log page: 1,000 new rows/s", "for 600 s, none lost, no growth", page::ARRIVING, arrivals(measurements)),
    ]
}

/// A frame that is a few milliseconds late still appears at the screen's next refresh.
fn scrolling(measurements: &Measurements) -> Option<Reached> {
    let of = |(what, _): Kind| measurements.median("page", SQLITE, what);
    let (rate, p99) = (of(page::FRAMES)?, of(page::P99)?);
    let figure = format!("{} frames/s, p99 {} ms", readable(rate), readable(p99));
    Some(Reached { figure, is_met: rate >= 59.0 && p99 <= 20.0 })
}

fn memory(measurements: &Measurements) -> Option<Reached> {
    const MB: f64 = 1024.0 * 1024.0 / 1e6;
    let of = |(what, _): Kind| measurements.median("page", SQLITE, what).map(|mib| mib * MB);
    let (objects, wasm) = (of(page::OBJECTS)?, of(page::WASM)?);
    let figure = format!("{} MB of JavaScript, {} MB of WebAssembly", readable(objects), readable(wasm));
    Some(Reached { figure, is_met: objects + wasm <= 30.0 })
}

fn arrivals(measurements: &Measurements) -> Option<Reached> {
    /// Growth below this is garbage or a cache that fills for the first time.
    const NOTHING_MIB: f64 = 1.0;
    let of = |(what, _): Kind| measurements.median("page", SQLITE, what);
    let (time, missing) = (of(page::ARRIVING)?, of(page::MISSING)?);
    let growth = of(page::OBJECTS_GROWTH)? + of(page::WASM_GROWTH)?;
    let figure = format!("for {} s, {} lost, {} MiB more", readable(time), readable(missing), readable(growth));
    Some(Reached { figure, is_met: time >= 600.0 && missing == 0.0 && growth <= NOTHING_MIB })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::tests::measurements;

    fn is_met(reached: Option<Reached>) -> Option<bool> {
        reached.map(|reached| reached.is_met)
    }

    #[test]
    fn a_score_is_full_or_missed() {
        let scores_with = |worst| {
            let names = ["performance", "accessibility", "best practices", "search engines"];
            let scores = names.map(|name| (SQLITE, name, if name == "best practices" { worst } else { 100.0 }));
            super::scores(&measurements("lighthouse", &scores)).map(|reached| (reached.figure, reached.is_met))
        };
        assert_eq!(scores_with(100.0), Some(("100 / 100 / 100 / 100".to_owned(), true)));
        assert_eq!(scores_with(96.0), Some(("100 / 100 / 96 / 100".to_owned(), false)));
        assert_eq!(is_met(scores(&measurements("lighthouse", &[(SQLITE, "performance", 100.0)]))), None);
    }

    #[test]
    fn memory_counts_both_kinds() {
        let with =
            |wasm| memory(&measurements("page", &[(SQLITE, page::OBJECTS.0, 10.0), (SQLITE, page::WASM.0, wasm)]));
        assert_eq!([18.0, 19.0].map(|wasm| is_met(with(wasm))), [Some(true), Some(false)], "30 MB are 28.6 MiB");
    }

    #[test]
    fn new_rows_arrive_for_ten_minutes_and_none_is_lost() {
        let with = |time, missing, growth| {
            let figures = [
                (SQLITE, page::ARRIVING.0, time),
                (SQLITE, page::MISSING.0, missing),
                (SQLITE, page::OBJECTS_GROWTH.0, -0.5),
                (SQLITE, page::WASM_GROWTH.0, growth),
            ];
            is_met(arrivals(&measurements("page", &figures)))
        };
        assert_eq!(with(600.0, 0.0, 1.0), Some(true));
        assert_eq!([with(10.0, 0.0, 0.0), with(600.0, 1.0, 0.0), with(600.0, 0.0, 2.0)], [Some(false); 3]);
    }
}
