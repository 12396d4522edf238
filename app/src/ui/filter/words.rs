//! What the filters of lists say.

use api::{FilterKey, FilterList};

pub const CLEAR_FILTER: &str = "Clear the filter";
pub const SYNTAX: &str = "Syntax";
pub const FILTER_SYNTAX: &str = "Filter syntax";
pub const CLEAR: &str = "Clear filter";
/// With an error in the filter.
pub const ROWS_BEFORE: &str = "The rows below match the previous filter.";
/// The list below the field.
pub const DID_YOU_MEAN: &str = "Did you mean ";
pub const CHOICES: &str = "Suggestions";

/// How terms work together. What is between backticks is code.
pub fn rules(list: FilterList) -> [&'static str; 3] {
    let (of, minus) = match list {
        FilterList::Log => {
            ("Several terms: a row must match all of them.", "Put a minus in front to exclude: `-browser:firefox`.")
        }
        FilterList::Jobs => {
            ("Several terms: a job must match all of them.", "Put a minus in front to exclude: `-state:done`.")
        }
    };
    ["A word searches every field. Put phrases in quotes: `\"free text\"`.", of, minus]
}

/// What a term with this key matches. What is between backticks is code.
pub fn about(key: FilterKey, list: FilterList) -> &'static str {
    match (key, list) {
        (FilterKey::State, _) => "The state, like `waiting`, `dead` or `done`",
        (FilterKey::Kind, _) => "The job type",
        (FilterKey::Error, _) => "The last error; with `~` any part of it",
        (FilterKey::Phrase, _) => "The whole phrase; with `~` any part of it",
        (FilterKey::Letters, _) => "The letters that were looked for",
        (FilterKey::Results, _) => "Exactly these letters found; with `~` at least these",
        (FilterKey::Ip, _) => "The address, or its network",
        (FilterKey::Browser, _) => "The browser's family",
        (FilterKey::Agent, _) => "The User-Agent header; with `~` any part of it",
        (FilterKey::Took, _) => "How long the last attempt ran: `<2s`, `1s..5s`",
        (FilterKey::Attempts, _) => "How often it was tried: `3`, `>3`, `2..4`",
        (FilterKey::Worker, _) => "The worker that runs it, or ran it last",
        (FilterKey::Since, FilterList::Log) => "In the last hour (s, m, h, d, w), or since a time",
        (FilterKey::Since, FilterList::Jobs) => "Created in the last hour (s, m, h, d, w), or since a time",
        (FilterKey::Before, FilterList::Log) => "Before a time, or longer ago than `2h`",
        (FilterKey::Before, FilterList::Jobs) => "Created before a time, or longer ago than `2h`",
        (FilterKey::Searched, _) => "On that day, minute or second; `..` between two times",
        (FilterKey::Recorded, _) => "The same, by when the row was written",
        (FilterKey::Job, _) => "The job's number",
        (FilterKey::Row, FilterList::Log) => "The row's number",
        (FilterKey::Row, FilterList::Jobs) => "The number of the log row that it wrote",
        (FilterKey::Search, _) => "The search's id",
        (FilterKey::Receipt, _) => "The id on the visitor's receipt",
    }
}

/// The rule about letters and times.
pub fn case_and_zone(zone: &str) -> String {
    format!("Capitals don't matter (a to z). Times are in {zone} unless you add Z or an offset.")
}
