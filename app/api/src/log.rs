//! The log: one row for each search that was answered.
//!
//! Rows reach the client as streams, not as server functions' answers:
//! `GET /api/admin/log/rows` (NDJSON) and `GET /api/admin/log/events` (server-sent events).

use serde::{Deserialize, Serialize};

use crate::{JobId, SearchId, TimeMs};

/// A log row's number. Rows become visible in the order of their numbers.
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
    /// The set of letters found, as Python displays it.
    pub results: String,
    pub ip: String,
    /// The browser's family, for instance `Firefox`; empty when unknown.
    pub browser_string: String,
    /// The User-Agent header, whole.
    pub user_agent: String,
    pub searched_at: TimeMs,
    pub recorded_at: TimeMs,
}

/// How far was looked for the rows that a filter matches: the last line of an answer to one,
/// `{"looked": {"from", "to", "end", "last", "is_done"}}`.
///
/// Looking takes time, and a request has little of it. So an answer may end before there are as many rows as were
/// asked for; the next request goes on where this one has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct ScanProgress {
    /// The number with which the look began.
    pub from: LogSeq,
    /// The number of the last row that was compared, or where none was, that before `from`; the next look begins behind
    /// it.
    pub to: LogSeq,
    /// Where the rows end that the filter can match, in this direction.
    pub end: LogSeq,
    /// The newest row's number when the look began.
    pub last: LogSeq,
    /// Whether there is nothing to be found beyond `to`.
    pub is_done: bool,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    looked: WireLooked,
}

#[derive(Serialize, Deserialize)]
struct WireLooked {
    from: LogSeq,
    to: LogSeq,
    end: LogSeq,
    last: LogSeq,
    is_done: bool,
}

impl From<Wire> for ScanProgress {
    fn from(Wire { looked: WireLooked { from, to, end, last, is_done } }: Wire) -> Self {
        Self { from, to, end, last, is_done }
    }
}

impl From<ScanProgress> for Wire {
    fn from(ScanProgress { from, to, end, last, is_done }: ScanProgress) -> Self {
        Self { looked: WireLooked { from, to, end, last, is_done } }
    }
}
