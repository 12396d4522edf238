//! The log of searches: writing and reading it.

use std::sync::Arc;

use api::{JobId, Ledger, LogBounds, LogRow, LogSeq, MissingSearch, SearchId, TimeMs};
use async_trait::async_trait;
use futures::future::try_join_all;
use futures::stream::{BoxStream, try_unfold};
use futures::{Stream, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::{FinishedAttempt, LogBlock, NewJob, Result};

/// The kind of the jobs that [`SearchLog::accept`] adds. The ledger counts only these.
pub const LOG_JOB: &str = "log_request";

#[async_trait]
pub trait SearchLog: Send + Sync + 'static {
    /// Adds the log job of a search, unless that search already has a job or a log row.
    ///
    /// `job.kind` is [`LOG_JOB`], and `job.key` is the search id as text. A visitor waits for this, so concurrent calls
    /// share one commit.
    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted>;

    /// Writes a row, unless the search already has one, and in the same transaction stores the result of the attempt
    /// that has written it. Returns the row's number. Durable when it returns.
    ///
    /// The row is written even if the worker no longer holds the attempt, whose result is then ignored. Numbers grow in
    /// the order in which rows become visible, so a reader that follows them misses no row. Texts are stored exactly,
    /// whatever characters they contain.
    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq>;

    /// As [`SearchLog::record`] for each of them. May fail if one attempt is no longer held; then record each alone.
    /// After a failure, some may have been recorded.
    async fn record_all(&self, records: Vec<(LogEntry, FinishedAttempt)>) -> Result<Vec<LogSeq>> {
        try_join_all(records.into_iter().map(|(entry, attempt)| self.record(entry, attempt))).await
    }

    /// The rows of `query`, as the database yields them.
    fn log_rows(&self, query: LogQuery) -> BoxStream<'static, Result<LogRow>>;

    /// The next rows after `after` up to `upto`, ordered by number: as many as one short statement reads. The block is
    /// empty only if no row is left. Holds no connection once it has returned.
    ///
    /// A reader that continues after each block's last row, up to the number that was the newest at the start, reads a
    /// consistent snapshot however long it takes: rows never change, and become visible in the order of their numbers.
    async fn log_block(&self, after: LogSeq, upto: LogSeq) -> Result<LogBlock>;

    /// The newest row's number, or 0 if the log is empty.
    async fn last_log_seq(&self) -> Result<LogSeq>;

    async fn log_row_of_search(&self, id: SearchId) -> Result<Option<LogRow>>;

    /// Where every accepted search is. `spooled` is 0, because spooled searches are not in the database. Counted
    /// incrementally, and read in one snapshot.
    async fn ledger(&self) -> Result<Ledger>;

    /// Accepted searches with neither a row nor a job that will write it. Reads a lot: use it only if the ledger does
    /// not add up.
    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>>;
}

/// The outcome of [`SearchLog::accept`]. The caller compares an existing search with its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    New(JobId),
    /// The search already has a job, with this payload.
    Queued {
        job: JobId,
        payload: String,
    },
    /// The search has a log row, and its job was deleted.
    Recorded(Box<LogRow>),
}

/// A search as the log stores it. Owned, because its request is over when the row is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRecord {
    pub id: SearchId,
    pub phrase: String,
    pub letters: String,
    /// The set of letters found, as Python displays it.
    pub results: String,
    pub ip: String,
    /// For instance `Firefox`; empty when unknown.
    #[serde(rename = "browser_string")]
    pub browser_family: String,
    pub user_agent: String,
    pub searched_at: TimeMs,
}

/// A row without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub search: SearchRecord,
    /// The job that writes the row.
    pub job_id: JobId,
    pub recorded_at: TimeMs,
}

impl From<LogRow> for LogEntry {
    fn from(row: LogRow) -> Self {
        let search = SearchRecord {
            id: row.search_id,
            phrase: row.phrase,
            letters: row.letters,
            results: row.results,
            ip: row.ip,
            browser_family: row.browser_family,
            user_agent: row.user_agent,
            searched_at: row.searched_at,
        };
        Self { search, job_id: row.job_id, recorded_at: row.recorded_at }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogQuery {
    pub span: LogSpan,
    /// The most rows to yield.
    pub limit: u32,
}

/// Which rows, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSpan {
    /// All rows, newest first.
    Newest,
    /// Rows before this one, newest first.
    Before(LogSeq),
    /// Rows after this one, oldest first.
    After(LogSeq),
}

/// The rows after `after` up to `upto`, block by block, each read when the stream is polled.
pub fn log_blocks<L: SearchLog + ?Sized>(
    log: Arc<L>,
    after: LogSeq,
    upto: LogSeq,
) -> impl Stream<Item = Result<LogBlock>> + Send {
    try_unfold((log, after), move |(log, after)| async move {
        let block = log.log_block(after, upto).await?;
        Ok(block.last().map(|last| (block, (log, last))))
    })
}

/// How much earlier a row may be than one before it (a clock was set, two processes' clocks differ) without
/// [`log_range`] missing it.
const DISORDER_MS: i64 = 60_000;

/// A number at which the times pass `time`: the row before it was recorded earlier, and the first row from it on at
/// `time` or later. Past the last row if all rows are earlier. Unique if times never decrease.
///
/// The log has no index of times and needs none: its rows are numbered as they are recorded, so a binary search
/// finds a time among ten million rows with some 25 reads.
pub async fn log_seq_since(log: &(impl SearchLog + ?Sized), time: TimeMs) -> Result<LogSeq> {
    let LogSeq(last) = log.last_log_seq().await?;
    // The result is greater than `earlier` and at most `later`.
    let (mut earlier, mut later) = (0, last.saturating_add(1));
    while later - earlier > 1 {
        let middle = earlier + (later - earlier) / 2;
        let query = LogQuery { span: LogSpan::After(LogSeq(middle - 1)), limit: 1 };
        match log.log_rows(query).try_next().await? {
            Some(row) if row.seq.0 < later && row.recorded_at < time => earlier = row.seq.0,
            _ => later = middle,
        }
    }
    Ok(LogSeq(later))
}

/// The lowest and the highest number that a row within `bounds` can have. `None` if there is no such row.
///
/// Misses no row whose time is at most a minute out of order.
pub async fn log_range(log: &(impl SearchLog + ?Sized), bounds: &LogBounds) -> Result<Option<(LogSeq, LogSeq)>> {
    if bounds.is_empty() {
        return Ok(None);
    }
    let (mut first, mut last) = (bounds.first.max(LogSeq(1)), bounds.last.min(log.last_log_seq().await?));
    if let Some(id) = bounds.search {
        let Some(row) = log.log_row_of_search(id).await? else { return Ok(None) };
        (first, last) = (first.max(row.seq), last.min(row.seq));
    }
    if let Some(TimeMs(since)) = bounds.since {
        first = first.max(log_seq_since(log, TimeMs(since.saturating_sub(DISORDER_MS))).await?);
    }
    if let Some(TimeMs(before)) = bounds.before {
        let LogSeq(beyond) = log_seq_since(log, TimeMs(before.saturating_add(DISORDER_MS))).await?;
        last = last.min(LogSeq(beyond - 1));
    }
    Ok((first <= last).then_some((first, last)))
}
