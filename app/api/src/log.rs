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
