//! The log, written out for other programs: read in blocks, each turned into lines while the next one is read.

mod csv;
pub(crate) mod http;
mod ndjson;

use std::sync::Arc;

use api::{LogFilter, LogSeq, TimeMs};
use futures::{Stream, TryStreamExt};
use serde::Deserialize;
use store::{BorrowedRow, LogBlock, Result, Store, StoreError, log_blocks, log_range};

/// So many blocks are turned into lines or read at a time. It bounds the memory of an export.
const AT_ONCE: usize = 2;

/// As what the rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lines {
    /// A JSON object a line.
    #[default]
    Ndjson,
    /// As RFC 4180 says, with a line of names at the top.
    Csv,
}

/// Which rows: those after the one number up to the other, as far as the filter matches them.
#[derive(Clone, Debug)]
pub struct Rows {
    pub after: LogSeq,
    pub upto: LogSeq,
    pub filter: Arc<LogFilter>,
    /// From when on the filter counts back.
    pub now: TimeMs,
}

impl Rows {
    /// Those of all rows that there are now.
    pub async fn matching(filter: LogFilter, store: &dyn Store, now: TimeMs) -> Result<Self> {
        let range = log_range(store, &filter.bounds(now)).await?;
        // Without a row in it where there is none.
        let (LogSeq(first), upto) = range.unwrap_or((LogSeq(1), LogSeq(0)));
        Ok(Self { after: LogSeq(first - 1), upto, filter: Arc::new(filter), now })
    }

    #[must_use]
    pub fn holds(&self, row: &BorrowedRow<'_>) -> bool {
        // Without a filter a row need not be copied to be compared.
        self.filter.is_empty() || self.filter.matches(&row.to_row(), self.now)
    }
}

/// Whole lines, and how many rows were looked at for them.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk {
    pub text: Vec<u8>,
    pub rows: u64,
    /// The last row's number.
    pub last: LogSeq,
}

impl Lines {
    /// What stands before the first row.
    #[must_use]
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

/// The rows as lines, without the head. What is not asked for is not read.
pub fn export(store: Arc<dyn Store>, rows: Rows, lines: Lines) -> impl Stream<Item = Result<Chunk>> + Send {
    log_blocks(store, rows.after, rows.upto)
        .map_ok(move |block| {
            let rows = rows.clone();
            async move {
                // Here it would keep the next block from being asked for, and others from being served.
                let written = tokio::task::spawn_blocking(move || lines.of(&block, &rows)).await;
                written
                    .unwrap_or_else(|error| Err(StoreError::Sql(format!("the rows could not be written out: {error}"))))
            }
        })
        .try_buffered(AT_ONCE)
}
