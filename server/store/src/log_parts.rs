//! A stream of log rows, read in short statements. For implementations of a store.
//!
//! One statement for all rows would hold a connection and a snapshot until a slow reader has finished. So each statement
//! reads a bounded part and returns its connection before the rows are yielded.

use api::{LogRow, LogSeq};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::{LogQuery, LogSpan, Result};

/// The most rows that one statement yields.
const ROWS_AT_ONCE: u32 = 256;

/// Reads one part of the log in one statement.
#[async_trait]
pub trait ReadLogPart: Send + 'static {
    /// The newest row's number, or 0 if the log is empty.
    async fn last(&self) -> Result<LogSeq>;

    /// At most `limit` rows numbered from `from` to `to`, both inclusive: in descending order if `to` is smaller.
    async fn part(&self, direction: Direction, from: i64, to: i64, limit: u32) -> Result<Vec<LogRow>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Down,
    Up,
}

/// The rows of `query`, up to the row that is the newest when the stream starts.
pub fn log_rows_in_parts(reader: impl ReadLogPart, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
    stream::once(Rest::first(reader, query))
        .map_ok(|first| stream::try_unfold(first, Rest::read).map_ok(|rows| stream::iter(rows).map(Ok)).try_flatten())
        .try_flatten()
        .boxed()
}

/// The rows that are still to be read.
struct Rest<R> {
    reader: R,
    direction: Direction,
    /// The first and the last row number to read, both inclusive.
    from: i64,
    to: i64,
    left: u32,
}

impl<R: ReadLogPart> Rest<R> {
    async fn first(reader: R, query: LogQuery) -> Result<Self> {
        let LogSeq(last) = reader.last().await?;
        let (direction, from, to) = match query.span {
            LogSpan::Newest => (Direction::Down, last, 1),
            LogSpan::Before(LogSeq(seq)) => (Direction::Down, last.min(seq.saturating_sub(1)), 1),
            LogSpan::After(LogSeq(seq)) => (Direction::Up, seq.saturating_add(1).max(1), last),
        };
        Ok(Self { reader, direction, from, to, left: query.limit })
    }

    /// Reads one part. Returns its rows and the rest, or `None` at the end.
    async fn read(mut self) -> Result<Option<(Vec<LogRow>, Self)>> {
        if self.is_done() {
            return Ok(None);
        }
        let limit = self.left.min(ROWS_AT_ONCE);
        let rows = self.reader.part(self.direction, self.from, self.to, limit).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.from = match self.direction {
            Direction::Down => last.seq.0 - 1,
            Direction::Up => last.seq.0 + 1,
        };
        // Fewer rows than the limit: the end was reached.
        let is_all = rows.len() < limit as usize;
        self.left = if is_all { 0 } else { self.left - limit };
        Ok(Some((rows, self)))
    }

    fn is_done(&self) -> bool {
        self.left == 0
            || match self.direction {
                Direction::Down => self.from < self.to,
                Direction::Up => self.from > self.to,
            }
    }
}
