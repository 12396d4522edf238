//! The log of searches.

use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{FinishedAttempt, LogBlock, Result};

#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Writes a row, unless the search has one already, and stores with it, in one transaction,
    /// what came of the attempt that has written it. Returns the row's number.
    ///
    /// An attempt that the worker no longer holds changes nothing; the row is written all the
    /// same. Durable when it returns. Numbers grow in the order in which rows become visible, so
    /// that a reader who follows them misses none. The row is stored exactly, whatever
    /// characters its texts hold.
    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq>;

    /// The rows of `query`, as the database yields them.
    fn log_rows(&self, query: LogQuery) -> BoxStream<'static, Result<LogRow>>;

    /// Rows after `after` up to `upto`, in the order of their numbers: as many as one short statement yields, and none
    /// only where there is none. Holds nothing once it has returned.
    ///
    /// Whoever goes on behind each block's last row, up to the number that was the newest at the start, has read one
    /// state of the log however long it takes: rows never change, and become visible in the order of their numbers.
    async fn log_block(&self, after: LogSeq, upto: LogSeq) -> Result<LogBlock>;

    /// The number of the newest row; 0 where there is none.
    async fn last_log_seq(&self) -> Result<LogSeq>;

    async fn log_row_of_search(&self, id: SearchId) -> Result<Option<LogRow>>;
}

/// A row before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub search_id: SearchId,
    pub job_id: JobId,
    pub phrase: String,
    pub letters: String,
    pub results: String,
    pub ip: String,
    pub browser_string: String,
    pub user_agent: String,
    pub searched_at: TimeMs,
    pub recorded_at: TimeMs,
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
    /// From the newest downwards.
    Newest,
    /// Those before this row, from the nearest downwards.
    Before(LogSeq),
    /// Those after this row, from the nearest upwards.
    After(LogSeq),
}
