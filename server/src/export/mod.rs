//! The log, written out for other programs: read in blocks, each turned into lines while the next one is read.

mod csv;
mod inert_text;
mod ndjson;

use std::sync::Arc;

use api::LogSeq;
use futures::{Stream, TryStreamExt};
use serde::Deserialize;
use store::{LogBlock, Result, Store, StoreError, log_blocks};

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

/// Which rows: those after the one number up to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub after: LogSeq,
    pub upto: LogSeq,
}

/// Whole lines, and how many rows they are.
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

    fn of(self, block: &LogBlock) -> Result<Chunk> {
        let push = match self {
            Self::Ndjson => ndjson::push_line,
            Self::Csv => csv::push_line,
        };
        let mut chunk = Chunk { text: Vec::with_capacity(block.size() * 2), rows: 0, last: LogSeq(0) };
        for row in block.rows() {
            let row = row?;
            push(&mut chunk.text, &row);
            chunk.rows += 1;
            chunk.last = row.seq;
        }
        Ok(chunk)
    }
}

/// The rows as lines, without the head. What is not asked for is not read.
pub fn export(store: Arc<dyn Store>, rows: Rows, lines: Lines) -> impl Stream<Item = Result<Chunk>> + Send {
    log_blocks(store, rows.after, rows.upto)
        .map_ok(move |block| async move {
            // Here it would keep the next block from being asked for, and others from being served.
            let written = tokio::task::spawn_blocking(move || lines.of(&block)).await;
            written.unwrap_or_else(|error| Err(StoreError::Sql(format!("the rows could not be written out: {error}"))))
        })
        .try_buffered(AT_ONCE)
}
