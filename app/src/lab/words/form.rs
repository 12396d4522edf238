//! The texts of the lab's forms.

use crate::ui::format::{configured, duration};

pub const STARTING: &str = "Starting…";
pub const NOT_STARTED: &str = "Not started";
/// Before the error of a start whose outcome is unknown.
pub const PERHAPS_STARTED: &str = "It is not known whether the run was started. ";
pub const ADJUST: &str = "Adjust";
pub const ONE_FIELD_FIRST: &str = "One field needs to be changed first.";
pub const TRY: &str = "Try";

pub const COMPARE: &str = "Run the comparison";
pub const COMPARE_AGAIN: &str = "Run it again";
/// The fields describe other work than the comparison that is shown.
pub const COMPARE_CHANGED: &str = "Run it with these settings";
pub const ONE_STYLE: &str = "Only one style";
pub const STYLE: &str = "Style";
pub const RUN_ONE_STYLE: &str = "Run this style alone";
pub const RUN_TASKS: &str = "Run the tasks";
pub const KILL: &str = "Kill the server now";

pub const WORK: &str = "Work";
pub const REQUESTS: &str = "Requests";
pub const THREADS: &str = "Threads";
pub const LATENCY: &str = "Latency";
pub const JITTER: &str = "Jitter";
pub const TIMEOUT: &str = "Timeout";
pub const NO_TIMEOUT: &str = "none";
/// The order of the results, which only futures choose.
pub const RESULTS: &str = "Results of futures";
pub const BATCHES: &str = "Batches";
pub const TASKS_PER_BATCH: &str = "Tasks per batch";
pub const HELD_FOR: &str = "Held for";
pub const OF_THE_TASKS: &str = "Of the tasks";
pub const FAIL: &str = "fail";
pub const PANIC: &str = "panic";
pub const ARE_ABORTED: &str = "are aborted";
pub const WRITE_DELAY: &str = "Write delay";

pub const MS: &str = "ms";
pub const PLUS_MINUS_MS: &str = "± ms";
pub const PERCENT: &str = "%";

/// The names of suggested work, in the order of `draft::PRESETS`.
pub const PRESETS: [&str; 4] = ["10 × 2 s", "10 × 2 s on 4 threads", "20 flags", "1,000 × 1 s"];

pub const WHOLE_NUMBER: &str = "Enter a whole number.";
pub const WHOLE_NUMBER_OR_NONE: &str = "Enter a whole number, or nothing for no limit.";
pub const NOTHING_TO_COMPARE: &str =
    "Only the async run would be short enough. Use more threads, fewer requests or less latency.";

/// How long a comparison takes.
pub fn compare_estimate(least_ms: u64) -> String {
    format!("Takes about {}. The styles run one after the other, the fast ones first.", roughly(least_ms))
}

/// How far a comparison is: which of its styles is running, and how long the rest takes.
pub fn compare_progress(style: &str, position: usize, total: usize, left_ms: u64) -> String {
    format!("Running {style}, {position} of {total} · about {} left", roughly(left_ms))
}

/// Its worker had stopped, and another one does it from the beginning.
pub fn compare_again(style: &str, position: usize, total: usize, left_ms: u64) -> String {
    let left = roughly(left_ms);
    format!("{style}, {position} of {total}, began again after a restart · about {left} left")
}

pub fn compare_cut_off(since: &str) -> String {
    format!("No news from the server since {since}. The picture stands still until it answers.")
}

/// The styles before this one have ended, and it is about to begin.
pub fn compare_next(style: &str, position: usize, total: usize, left_ms: u64) -> String {
    format!("{style} is next, {position} of {total} · about {} left", roughly(left_ms))
}

/// No style of the comparison has begun yet.
pub fn compare_waits(ahead: u64) -> String {
    if ahead == 0 { "Next in line".to_owned() } else { format!("Waiting, {ahead} ahead") }
}

/// A time without digits that nobody can promise.
fn roughly(least_ms: u64) -> String {
    let rounded = if least_ms < 1_000 { least_ms } else { least_ms.div_ceil(1_000) * 1_000 };
    match rounded {
        1_000..60_000 => configured(rounded),
        _ => duration(i64::try_from(rounded).unwrap_or(i64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::format::plain;

    #[test]
    fn an_estimate_has_no_tenths() {
        let estimate = |ms| plain(compare_estimate(ms).split('.').next().unwrap_or_default());
        assert_eq!(
            [300, 26_000, 25_100, 65_000].map(estimate),
            ["Takes about 300 ms", "Takes about 26 s", "Takes about 26 s", "Takes about 1 min 5 s"]
        );
    }
}
