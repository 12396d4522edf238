//! What the log's pages say.

use crate::ui::format::{counted, number};

pub const HEADING: &str = "Log";
pub const FILTER: &str = "Filter the log";
/// Two examples, where the field is empty.
pub const FILTER_HINT: &str = "Filter: text, letters:aeiou, since:1h";
pub const GO_TO: &str = "Go to a row or a time";
pub const GO_TO_SHORT: &str = "Go to row or time";
pub const EXPORT: &str = "Export";
pub const NOTHING_TO_EXPORT: &str = "There is no row to export.";
pub const NO_EXPORT: &str = "Fix the filter to export the rows that match it.";
pub const MATCHING_ROWS: &str = "the matching rows";
pub const ALL_ROWS: &str = "all rows";
pub const ABOUT_CSV: &str = "for spreadsheets";
pub const ABOUT_NDJSON: &str = "one JSON object per line";
pub const UP_TO_DATE: &str = "Up to date";
pub const UP_TO_DATE_WHY: &str = "New rows arrive by themselves. None is missed: after an interruption, the rows written \
                                  meanwhile are sent first.";
pub const CLOSE: &str = "Close";
pub const NEWEST: &str = "Newest rows";
/// The result of a search in its drawer.
pub const NO_LETTERS_FOUND: &str = "No letters found";
pub const NOTHING_FOUND: &str = "none";
pub const NO_PHRASE: &str = "(empty)";
pub const UNKNOWN_BROWSER: &str = "unknown";
pub const COPY_JSON: &str = "Copy as JSON";
pub const HISTORY: &str = "How it was written";
pub const REPLACED: &str = "The database was restored to an older state, and the log was read again. Row numbers may belong \
                            to other rows now.";

pub const PHRASE: &str = "Phrase";
pub const LETTERS: &str = "Letters";
pub const RESULTS: &str = "Results";
pub const BROWSER: &str = "Browser";
pub const IP_ADDRESS: &str = "IP address";
pub const USER_AGENT: &str = "User agent";
pub const SEARCHED_AT: &str = "Searched";
pub const SEARCH_ID: &str = "Search id";
pub const UNKNOWN: &str = "–";
pub const NEWER_ROW: &str = "Newer row";
pub const OLDER_ROW: &str = "Older row";
/// The columns before the time.
pub const COLUMNS: [&str; 5] = [PHRASE, LETTERS, RESULTS, BROWSER, IP_ADDRESS];

pub const FIX_FILTER: &str = "Fix the filter to see rows.";
pub const CLEAR: &str = "Clear filter";
pub const SHOW_ALL: &str = "Show all rows";
pub const NO_MATCH: &str = "No row matches this filter.";
pub const NO_JOB_EITHER: &str = "No job records this search either.";
pub const ROW_DELETED: &str = "The search was recorded, and its row was deleted.";
pub const RECORD_DEAD: &str = "The search was accepted, and its record could not be written.";
pub const RECORD_CANCELLED: &str = "The search was accepted, and the writing of its record was cancelled.";
pub const NOT_YET: &str = "The search is accepted and not in the log yet.";
pub const NO_SEARCH: &str = "Nothing has been searched yet. Rows appear here as soon as they are written.";
pub const FIRST_SEARCH: &str = "Make the first search";
pub const SHOW_JOBS: &str = "Show the jobs";
pub const ALL_DELETED: &str = "The log has no rows. Those that were written have been deleted.";
pub const NOTHING_KNOWN: &str = "The log has no rows. The database does not say whether any are to come.";
pub const UNREADABLE_ROW: &str = "The server sent a row that cannot be read.";
pub const CUT_SHORT: &str = "The answer was cut short. Check the connection and try again.";
pub const GO_ON: &str = "Go on";
pub const STOP: &str = "Stop";
/// Where the searches are of which the log has no rows, in the order of their states.
pub const WAITING: &str = "waiting";
pub const BEING_WRITTEN: &str = "being written";
pub const RETRYING: &str = "failed and will be tried again";
pub const IN_SPOOL: &str = "safe in the spool";
pub const DEAD: &str = "dead";
pub const CANCELLED: &str = "cancelled";

/// The column of the times.
pub fn time_in(zone: &str) -> String {
    format!("Time ({zone})")
}

pub fn job(id: i64) -> String {
    format!("Job #{id}")
}

pub fn its_job(id: i64, state: &str) -> String {
    format!("Its job #{id} is {state}.")
}

/// Some of the numbers may have no row, so the rows are not counted.
pub fn looked_through(low: &str, high: &str) -> String {
    format!("Looked through rows {low} to {high}")
}

pub fn count_in(count: u64, state: &str) -> String {
    format!("{} {state}", number(count))
}

pub fn no_rows_yet(searches: &str) -> String {
    format!("The log has no rows yet. Searches: {searches}.")
}

pub fn rows(count: usize) -> String {
    counted(count, "row")
}

pub fn loaded(rows: &str) -> String {
    format!("{rows} loaded")
}

pub fn loading(rows: &str) -> String {
    format!("{rows} loaded…")
}

pub fn stale(since: &str) -> String {
    format!(" · {since}")
}

pub fn through(row: &str) -> String {
    format!(", through row {row}")
}

pub fn complete_through(row: &str) -> String {
    format!("Complete through row {row}")
}

pub fn where_to_go(zone: &str) -> String {
    format!("A row's number (48211), a time in {zone} (2026-11-22 08:05) or how long ago (2h)")
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
