//! Exports the log for other programs. Each block of rows is formatted while the next one is read.

mod csv;
pub(crate) mod http;
mod ndjson;

use std::sync::Arc;

use api::{LogFilter, LogSeq, TimeMs};
use futures::{Stream, TryStreamExt};
use serde::Deserialize;
use store::{BorrowedRow, LogBlock, Result, Store, StoreError, log_blocks, log_range};

/// How many blocks are read or formatted at once. It bounds the memory of an export.
const AT_ONCE: usize = 2;

/// The format of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lines {
    /// One JSON object per line.
    #[default]
    Ndjson,
    /// As in RFC 4180, with a header line.
    Csv,
}

/// The rows of an export: a range of numbers, and a filter.
#[derive(Clone, Debug)]
pub struct Rows {
    pub after: LogSeq,
    pub upto: LogSeq,
    pub filter: Arc<LogFilter>,
    /// The time to which the filter's ages relate.
    pub now: TimeMs,
}

impl Rows {
    /// All matching rows that exist now.
    pub async fn matching(filter: LogFilter, store: &dyn Store, now: TimeMs) -> Result<Self> {
        let range = log_range(store, &filter.bounds(now)).await?;
        // An empty range: no row can match.
        let (LogSeq(first), upto) = range.unwrap_or((LogSeq(1), LogSeq(0)));
        Ok(Self { after: LogSeq(first - 1), upto, filter: Arc::new(filter), now })
    }

    pub fn holds(&self, row: &BorrowedRow<'_>) -> bool {
        // Without a filter no row is copied.
        self.filter.is_empty() || self.filter.matches(&row.to_row(), self.now)
    }
}

/// Whole lines, and how many rows were read for them.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk {
    pub text: Vec<u8>,
    pub rows: u64,
    /// The last row's number.
    pub last: LogSeq,
}

impl Lines {
    /// The text before the first row.
    pub fn head(self) -> &'static str {
        match self {
            Self::Ndjson => "",
            Self::Csv => csv::HEAD,
        }
    }

    fn of(self, block: &LogBlock, rows: &Rows) -> Result<Chunk> {
        let push = match self {
            Self::Ndjson => ndjson::push_line,
            Self::Csv => csv::push_line,
        };
        let mut chunk = Chunk { text: Vec::with_capacity(block.size() * 2), rows: 0, last: LogSeq(0) };
        for row in block.rows() {
            let row = row?;
            chunk.rows += 1;
            chunk.last = row.seq;
            if rows.holds(&row) {
                push(&mut chunk.text, &row);
            }
        }
        Ok(chunk)
    }
}

/// The rows as lines, without the head. Reads no faster than the stream is polled.
pub fn export(store: Arc<dyn Store>, rows: Rows, lines: Lines) -> impl Stream<Item = Result<Chunk>> + Send {
    log_blocks(store, rows.after, rows.upto)
        .map_ok(move |block| {
            let rows = rows.clone();
            async move {
                // On this thread, it would delay the read of the next block, and other requests.
                let written = tokio::task::spawn_blocking(move || lines.of(&block, &rows)).await;
                written
                    .unwrap_or_else(|error| Err(StoreError::Sql(format!("the rows could not be written out: {error}"))))
            }
        })
        .try_buffered(AT_ONCE)
}
