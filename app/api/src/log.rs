//! The log: one row for each answered search.
//!
//! The client reads rows as streams, not through server functions:
//! `GET /api/admin/log/rows` (NDJSON) and `GET /api/admin/log/events` (server-sent events).

use serde::{Deserialize, Serialize};

use crate::{JobId, SearchId, TimeMs};

/// A log row's number. Rows become visible in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogSeq(pub i64);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    pub seq: LogSeq,
    pub search_id: SearchId,
    pub job_id: JobId,
    pub phrase: String,
    pub letters: String,
    /// The set of letters found, as Python displays a set.
    pub results: String,
    pub ip: String,
    /// For instance `Firefox`. Empty if unknown.
    #[serde(rename = "browser_string")]
    pub browser_family: String,
    /// The complete User-Agent header.
    pub user_agent: String,
    pub searched_at: TimeMs,
    pub recorded_at: TimeMs,
}

/// How far a read has come. Sent as the last line of each response to a request with `q`, also an empty one,
/// `{"looked": {"from", "to", "end", "last", "is_done"}}`. A response without it was cut short.
///
/// The time of a request with a filter is limited, so its response may end before it has the requested number of rows.
/// The next request continues where this one ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct ScanProgress {
    /// Where the scan began.
    pub from: LogSeq,
    /// The last row that was compared, or the one before `from` if none was. The next scan begins after it.
    pub to: LogSeq,
    /// The last row in this direction that the filter can match.
    pub end: LogSeq,
    /// The newest row when the scan began.
    pub last: LogSeq,
    /// Whether no row after `to` can match.
    pub is_done: bool,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    looked: WireProgress,
}

#[derive(Serialize, Deserialize)]
struct WireProgress {
    from: LogSeq,
    to: LogSeq,
    end: LogSeq,
    last: LogSeq,
    is_done: bool,
}

impl From<Wire> for ScanProgress {
    fn from(Wire { looked: WireProgress { from, to, end, last, is_done } }: Wire) -> Self {
        Self { from, to, end, last, is_done }
    }
}

impl From<ScanProgress> for Wire {
    fn from(ScanProgress { from, to, end, last, is_done }: ScanProgress) -> Self {
        Self { looked: WireProgress { from, to, end, last, is_done } }
    }
}

/// Whether displaying `character` has no side effect on the text around it.
///
/// False for control characters, which terminals execute, and for those that end a line or reorder the text around
/// them. Text from visitors must not change how other text is displayed.
pub fn is_inert(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // Directional marks; line and paragraph separators, embeddings and overrides; isolates.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_not_inert() {
        let active =
            "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";
        assert_eq!(active.chars().find(|&c| is_inert(c)), None);
        assert!("a é 🦀 שלום \u{301}\u{200d}\u{fffd}".chars().all(is_inert));
    }
}
