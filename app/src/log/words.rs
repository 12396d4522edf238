//! What the log's pages say.

use crate::ui::format::number;

pub const HEADING: &str = "Log";
pub const FILTER: &str = "Filter the log";
pub const CLEAR_FILTER: &str = "Clear the filter";
pub const FILTER_SYNTAX: &str = "Filter syntax";
pub const GO_TO: &str = "Go to a row or a time";
pub const GO_TO_SHORT: &str = "Go to row or time";
pub const EXPORT: &str = "Export";
pub const ABOUT_CSV: &str = "for spreadsheets";
pub const ABOUT_NDJSON: &str = "one JSON object a line";
pub const UP_TO_DATE: &str = "Up to date";
pub const UP_TO_DATE_WHY: &str = "New rows arrive by themselves. None is missed: after an interruption, the rows written \
                                  meanwhile are sent first.";
pub const CLOSE: &str = "Close";
pub const NEWEST: &str = "Newest rows";
pub const NOTHING_FOUND: &str = "none";
pub const NO_PHRASE: &str = "(empty)";
pub const UNKNOWN_BROWSER: &str = "unknown";
pub const COPY_JSON: &str = "Copy as JSON";
pub const HISTORY: &str = "How it was written";
pub const REPLACED: &str = "The database was restored to an older state, and the log was read again. Row numbers may belong \
                            to other rows now.";

/// The columns; the last one is the time.
pub const COLUMNS: [&str; 6] = ["Phrase", "Letters", "Results", "Browser", "IP address", "Time"];

pub fn through(row: &str) -> String {
    format!(", through row {row}")
}

pub fn complete_through(row: &str) -> String {
    format!("Complete through row {row}")
}

pub fn where_to_go(zone: &str) -> String {
    format!("A row's number (48211), a time in {zone} (2026-11-22 08:05) or how long ago (2h)")
}

pub fn times_are_in(zone: &str) -> String {
    format!("Times are in {zone}")
}

pub fn exports(what: &str) -> String {
    format!("Download {what}")
}

pub fn nowhere(at: &str) -> String {
    format!("“{at}” is no row and no time. The newest rows are shown.")
}

pub fn no_row_number(text: &str) -> String {
    format!("“{text}” is no row's number.")
}

pub fn no_row(number: &str) -> String {
    format!("There is no row {number}. It may have been deleted.")
}

pub fn unreadable_row(number: &str, why: &str) -> String {
    format!("Row {number} cannot be shown. {why}")
}

pub fn row(number: &str) -> String {
    format!("Row {number}")
}

/// For screen readers.
pub fn new_searches(count: u64) -> String {
    match count {
        1 => "1 new search".to_owned(),
        _ => format!("{} new searches", number(count)),
    }
}

pub fn new_rows(count: u64) -> String {
    format!("{} new", number(count))
}

pub fn newer_rows(count: u64) -> String {
    format!("{} newer", number(count))
}

pub fn attempt(number: u32, outcome: &str) -> String {
    format!("Attempt {number}: {outcome}")
}

pub fn worker(name: &str) -> String {
    format!("by {name}")
}

pub fn took(duration: &str) -> String {
    format!("took {duration}")
}

pub fn later(duration: &str) -> String {
    format!("+{duration}")
}

pub const SEARCHED: &str = "Searched and answered";
pub const RECORDED: &str = "Written to the log";
