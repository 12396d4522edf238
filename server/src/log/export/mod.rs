//! Exports the log for other programs. Each block of rows is formatted while the next one is read.
//!
//! How a connection ends does not say whether an export is whole: over HTTP/1.0 a cut one ends like any other. So the last
//! line says it.

mod csv;
pub(crate) mod http;
mod ndjson;

use std::pin::pin;
use std::sync::Arc;

use api::{LogFilter, LogSeq, TimeMs};
use async_stream::try_stream;
use futures::{Stream, TryStreamExt};
use serde::Deserialize;
use store::{BorrowedRow, LogBlock, Manifest, Result, Store, StoreError, log_blocks, log_range};

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
        let newest = store.last_log_seq().await?;
        let range = log_range(store, &filter.bounds(now)).await?;
        // If no row can match, the range is empty. It still ends at the newest row, where the next export begins.
        let (after, upto) = range.map_or((newest, newest), |(LogSeq(first), last)| (LogSeq(first - 1), last));
        Ok(Self { after, upto, filter: Arc::new(filter), now })
    }

    /// Only those after `after` and up to `upto`.
    #[must_use]
    pub fn between(mut self, after: LogSeq, upto: Option<LogSeq>) -> Self {
        self.after = self.after.max(after);
        // Never below `after`: an export that continues at `upto` would repeat rows.
        self.upto = upto.map_or(self.upto, |upto| upto.min(self.upto)).max(self.after);
        self
    }

    /// What an export of these rows holds if `count` of them matched.
    pub fn manifest(&self, count: u64) -> Manifest {
        let (after, upto, exported_at) = (self.after, self.upto, self.now);
        Manifest { rows: count, after, upto, filter: self.filter.to_string(), exported_at }
    }

    pub fn holds(&self, row: &BorrowedRow<'_>) -> bool {
        // Without a filter no row is copied.
        self.filter.is_empty() || self.filter.matches(&row.to_row(), self.now)
    }
}

/// Whole lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    pub text: Vec<u8>,
    /// How many rows were read for them.
    pub rows: u64,
    /// How many of these matched, and are in the text.
    pub matching: u64,
}

impl Lines {
    /// The text before the first row.
    fn head(self) -> Vec<u8> {
        match self {
            Self::Ndjson => Vec::new(),
            Self::Csv => csv::HEAD.into(),
        }
    }

    /// The last line.
    fn end(self, manifest: &Manifest) -> Vec<u8> {
        match self {
            Self::Ndjson => ndjson::end(manifest),
            Self::Csv => csv::end(manifest),
        }
    }

    fn of(self, block: &LogBlock, rows: &Rows) -> Result<Chunk> {
        let push = match self {
            Self::Ndjson => ndjson::push_line,
            Self::Csv => csv::push_line,
        };
        let mut chunk = Chunk { text: Vec::with_capacity(block.size() * 2), ..Chunk::default() };
        for row in block.rows() {
            let row = row?;
            chunk.rows += 1;
            if rows.holds(&row) {
                chunk.matching += 1;
                push(&mut chunk.text, &row);
            }
        }
        Ok(chunk)
    }
}

/// The rows as lines. The last one says what the export holds: without it, the export is incomplete. Reads no faster
/// than the stream is polled.
pub fn export(store: Arc<dyn Store>, rows: Rows, lines: Lines) -> impl Stream<Item = Result<Chunk>> + Send {
    try_stream! {
        yield Chunk { text: lines.head(), ..Chunk::default() };
        let mut matching = 0;
        let mut chunks = pin!(log_blocks(store, rows.after, rows.upto)
            .map_ok(|block| {
                let rows = rows.clone();
                async move {
                    // On this thread, it would delay the read of the next block, and other requests.
                    let written = tokio::task::spawn_blocking(move || lines.of(&block, &rows)).await;
                    written.unwrap_or_else(|error| {
                        Err(StoreError::Sql(format!("the rows could not be written out: {error}")))
                    })
                }
            })
            .try_buffered(AT_ONCE));
        while let Some(chunk) = chunks.try_next().await? {
            matching += chunk.matching;
            yield chunk;
        }
        yield Chunk { text: lines.end(&rows.manifest(matching)), ..Chunk::default() };
    }
}
