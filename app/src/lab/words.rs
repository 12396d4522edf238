//! All texts of the lab's pages, in English.

pub mod form;
pub mod labels;
pub mod run;
pub mod trap;

use api::{FetchSpec, LabStyle, LabWork};

use crate::lab::ratio::Ratio;
use crate::ui::format::{configured, counted, duration, measured, number};

pub const TITLE: &str = "The waiting lab";
pub const CLOSED: &str = "The lab is closed here";
pub const STYLE: &str = "Style";
pub const CODE_TITLE: &str = "The same in code";
pub const GUIDE: &str = "Read more: what waits, and what need not";
pub const WHAT_TO_EXPECT: &str = "What to expect";
pub const WHAT_THIS_SHOWS: &str = "What this shows";
pub const TRY_MANY: &str = "Try 1,000 →";
pub const TRY_FEW: &str = "← Back to 10";
pub const COPY_LINK: &str = "Copy link";
pub const CANCEL: &str = "Cancel";
pub const NOT_CANCELLED: &str = "Not cancelled";
/// What to expect, and what follows while nothing is running, or something is.
pub const SKETCH: &str = "In sequence, one thread asks and waits, and asks again: the waits add up. Threads wait side by \
                          side, each with memory of its own. Futures do the same, with a promise for each result. Async \
                          waits for all answers on one thread. ";
pub const RUN_AND_SEE: &str = "Run it, and see whether this holds.";
pub const WE_WILL_SEE: &str = "We will see whether this holds.";
/// Holds the place of what a run shows.
pub const SHOWS_LATER: &str = "You will read here what the run shows, once it has ended.";
pub const NO_COMPARISON: &str = "There is no such comparison. Its runs may be so old that they were deleted.";
/// What the heights of areas count.
pub const Y_AXIS: &str = "Requests at a time:";
pub const EXPECTED: &str = "expected";
pub const NOT_BEGUN: &str = "not begun";
pub const WAITING_FOR_ANSWER: &str = "waiting for the answer";
pub const FAILED: &str = "failed";

/// What is done in each scenario: the name of its tab.
pub const TABS: [&str; 3] = ["Compare", "Database", "The trap"];
pub const SCENARIOS: &str = "Scenarios";
pub const SIDE_BY_SIDE: &str = "The styles side by side";
pub const STYLES_AS_A_TABLE: &str = "The styles as a table";
pub const COLUMNS: [&str; 6] = ["Style", "Time", "Compared", "Answered", "Failed", "Most at a time"];

/// The headline and a sentence of each scenario, before there are figures. What stands in backticks is code.
pub const DATABASE_HEAD: [&str; 2] = [
    "Many tasks, few connections",
    "Each task borrows one of a few database connections, keeps it for a while and gives it back. Some tasks fail, \
     panic or are aborted on the way: their connections must come back too.",
];
pub const TRAP_HEAD: [&str; 2] = [
    "Kill the server while it writes",
    "The same search three times, each on a small server of its own with a slow log. Two of them are killed with \
     `kill -9` before the row is written. The server you are using is not touched.",
];
pub const TRAP_RULE: &str = "The rule: wait only for what the next line needs. A write that nobody waits for becomes a \
                             job on disk: it delays nobody, and a crash does not lose it.";

/// A span in a sentence: `4.0 ms`, `340 ms`, `20.0 s`, `33 min 20 s`. Seconds are rounded to tenths.
pub fn brief(us: u64) -> String {
    let tenths = us.saturating_add(50_000) / 100_000;
    match us {
        ..1_000_000 => measured(us),
        _ if tenths < 600 => format!("{}.{}\u{a0}s", tenths / 10, tenths % 10),
        _ => duration(i64::try_from(us / 1_000).unwrap_or(i64::MAX)),
    }
}

/// `10 requests`, `1 flag`.
pub fn things(spec: &FetchSpec) -> String {
    let thing = match spec.work {
        LabWork::Second => "request",
        LabWork::Flags => "flag",
    };
    counted(spec.count as usize, thing)
}

pub fn style_name(style: LabStyle) -> &'static str {
    match style {
        LabStyle::Sequential => "Sequential",
        LabStyle::Threads => "Threads",
        LabStyle::Futures => "Futures",
        LabStyle::Async => "Async",
    }
}

/// What does the work, and what it does meanwhile.
pub fn style_way(spec: &FetchSpec) -> String {
    let threads = counted(spec.workers as usize, "thread");
    match spec.style {
        LabStyle::Sequential => "1 thread, one at a time".to_owned(),
        LabStyle::Threads => format!("{threads}, each blocked while it waits"),
        LabStyle::Futures => format!("{threads}, a promise for each result"),
        LabStyle::Async => "1 thread, never blocked".to_owned(),
    }
}

/// The sentence below the headline of a comparison.
pub fn compare_lead(spec: &FetchSpec) -> String {
    let latency = configured(spec.latency_ms.into());
    let about = if spec.jitter_ms > 0 { "about " } else { "" };
    format!("Each answer takes {about}{latency} to come, whatever we do. What differs is who stands still meanwhile.")
}

pub fn headline(things: &str, slowest: &str, fastest: &str) -> String {
    format!("Same {things}: {slowest}, or {fastest}")
}

pub fn headline_equal(things: &str, time: &str) -> String {
    format!("Same {things}: {time} either way")
}

pub fn headline_open(things: &str) -> String {
    format!("Same {things}, four ways")
}

/// What a comparison measures by: the sequence, or the slowest style if that was not run.
pub const BASELINE: &str = "baseline";
pub const SLOWEST: &str = "slowest";
pub const AS_SLOW: &str = "about the same";

pub fn faster(ratio: Ratio) -> String {
    format!("{ratio}× faster")
}

pub fn slower(ratio: Ratio) -> String {
    format!("{ratio}× slower")
}

pub const NOTHING_ANSWERED: &str =
    "No request was answered, so these times say nothing about waiting. What failed is shown on the page of each run.";

pub fn sequence_too_long(things: &str, least: &str, limit_ms: u64) -> String {
    let limit = configured(limit_ms);
    format!("One by one, {things} would take {least}. Runs stop after {limit}, so it was skipped.")
}

pub fn waiting_overlaps(ratio: Ratio, fast: &str, slow: &str) -> String {
    format!("The work is waiting, so doing it side by side is {ratio} times faster: {fast} instead of {slow}.")
}

pub fn waiting_overlaps_little(ratio: Ratio, fast: &str, slow: &str) -> String {
    format!("Side by side was only {ratio} times faster here: {fast} instead of {slow}. There was little to wait for.")
}

pub fn no_faster(fast: &str, slow: &str) -> String {
    format!("Side by side was no faster here: {fast}, and {slow} one by one. There was next to nothing to wait for.")
}

pub fn no_faster_alone(fast: &str, slow: &str) -> String {
    format!("A single request has nothing to wait for beside it: {fast}, and {slow} in sequence.")
}

pub fn few_threads(workers: u32, count: u32, threads: &str, tasks: &str) -> String {
    let (answers, count) = (counted(workers as usize, "answer"), number(count.into()));
    let workers = counted(workers as usize, "thread");
    format!(
        "{workers} waited for {answers} at a time, and took {threads}. Async waited for all {count} on one thread, and \
         took {tasks}."
    )
}

pub fn threads_faster(threads: &str, tasks: &str) -> String {
    format!("Threads were faster than async: {threads}, and {tasks} on async's one thread.")
}

pub fn async_faster(threads: &str, tasks: &str) -> String {
    format!("Async was faster than threads: {tasks}, and {threads}.")
}

pub const TIE: &str = "Threads and async tie here.";
pub const TIE_OF_FEW: &str =
    "Threads and async tie here. 1,000 at once would take 1,000 threads; async would still need one.";

pub fn some_failed(failed: u64, total: u64) -> String {
    format!("{} of {} requests failed, so these are not only times of answers.", number(failed), number(total))
}

pub fn not_compared(names: &[&str]) -> String {
    format!("{} did not run to its end, and is not compared.", names.join(", "))
}

pub const NOT_RUN: &str = "not run";
pub const STOPPED: &str = "stopped";

/// Why a drawing is empty.
pub fn would_take(least_ms: u64) -> String {
    format!("Would take {}", brief(least_ms * 1_000))
}

/// Beside an area: how many requests were in flight at most.
pub fn at_a_time(most: u32) -> String {
    format!("{} at a time", number(most.into()))
}

/// Which work the picture shows, while the fields describe other work.
pub fn shown(work: &str) -> String {
    format!("Shown: {work}")
}

pub const DELETED: &str = "Never started, or deleted since";
pub const CANCELLED_BEFORE: &str = "Cancelled before it began";

pub fn failed_before(error: Option<&str>) -> String {
    format!("Failed before it began: {}", error.unwrap_or("the server's log says why"))
}

pub const NEXT: &str = "next";

pub fn ahead(ahead: u64) -> String {
    if ahead == 0 { NEXT.to_owned() } else { format!("{} ahead", number(ahead)) }
}

/// Which of the styles it will be.
pub fn turn(position: usize, total: usize) -> String {
    format!("number {position} of {total}")
}

pub fn progress(ended: usize, total: u32) -> String {
    format!("{} of {}", number(ended as u64), number(total.into()))
}

pub fn failed(count: u32) -> String {
    format!("{} failed", number(count.into()))
}

/// Spoken when a style has ended.
pub fn lane_ended(style: &str, time: &str) -> String {
    format!("{style}: {time}")
}

/// `into` is how far the run was, if it had begun.
pub fn cut_off(since: &str, into: Option<&str>) -> String {
    let clock =
        into.map_or_else(String::new, |into| format!(" The clock stopped {into} into the run, at the last news."));
    format!(
        "No news from the server since {since}.{clock} What happens meanwhile is drawn once the server answers again."
    )
}

pub const BEGAN_AGAIN: &str = "This run began again after a restart: its worker had stopped.";

/// What a single run of requests shows.
pub mod fetch {
    use super::{counted, number};

    pub fn in_sequence(count: &str, elapsed: &str, work: &str) -> String {
        format!("Each request waited for the one before it: the waits of {count} add up to {work}, and took {elapsed}.")
    }

    pub fn side_by_side(waits: &str, elapsed: &str, one_by_one: &str) -> String {
        format!("{waits}. That took {elapsed}; one by one would take {one_by_one}.")
    }

    pub fn no_faster(waits: &str, elapsed: &str, one_by_one: &str) -> String {
        format!("{waits}. That took {elapsed}, and is no faster than {one_by_one} one by one.")
    }

    pub fn threads_wait(workers: u32, at_a_time: u32) -> String {
        let threads = counted(workers as usize, "thread");
        format!("{threads} waited for up to {} at a time", counted(at_a_time as usize, "answer"))
    }

    pub fn one_thread_waits(count: u32) -> String {
        format!("One thread waited for up to {} at a time", counted(count as usize, "answer"))
    }

    pub fn some_failed(failed: u32) -> String {
        let verb = if failed == 1 { "request failed" } else { "requests failed" };
        format!("{} {verb}; all others were answered.", number(failed.into()))
    }

    pub const NONE_ANSWERED: &str = "No request was answered. A failure is a result like any other: it was counted, and it \
                                     ended no other request.";
}

/// What a run with the database shows.
pub mod database {
    use super::{counted, number};

    /// The headline, once there are figures.
    pub fn headline(tasks: u64, connections: u32, leaked: u32) -> String {
        let (tasks, connections, leaked) = (number(tasks), number(connections.into()), number(leaked.into()));
        // Each number stays with its word.
        format!("{tasks}\u{a0}tasks, {connections}\u{a0}connections, {leaked}\u{a0}leaked")
    }

    pub fn shared(tasks: u64, connections: u32, most_in_use: u32) -> String {
        let used = match number(most_in_use.into()) {
            all if most_in_use == connections => format!("at times, all {all} were in use"),
            most => format!("at most {most} were in use at a time"),
        };
        format!("{} tasks shared {} connections; {used}.", number(tasks), number(connections.into()))
    }

    pub fn waited(most_waiting: u32, longest: &str) -> String {
        format!("Up to {} waited for one, the longest {longest}.", counted(most_waiting as usize, "task"))
    }

    pub fn all_came_back(failed: u32) -> String {
        match failed {
            0 => "Every connection came back.".to_owned(),
            _ => format!("{} ended badly, and every connection came back.", counted(failed as usize, "task")),
        }
    }

    pub fn leaked(leaked: u32) -> String {
        format!("{} did not come back: that must not happen.", counted(leaked as usize, "connection"))
    }

    pub fn refused(refused: u32) -> String {
        format!("{} got none at all: that must not happen.", counted(refused as usize, "task"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::format::plain;

    #[test]
    fn spans_are_brief() {
        let spans = [4_000, 340_000, 2_018_000, 20_030_000, 59_990_000, 2_000_000_000].map(brief).map(plain);
        assert_eq!(spans, ["4.0 ms", "340 ms", "2.0 s", "20.0 s", "59.9 s", "33 min 20 s"]);
    }
}
