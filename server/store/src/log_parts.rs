//! A stream of log rows, read in short statements. For those who implement a store.
//!
//! One statement for all rows would hold a connection and a snapshot for as long as the slowest reader takes. So each
//! reads a bounded part and gives its connection back before the rows are handed on.

use api::{LogRow, LogSeq};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::{LogQuery, LogSpan, Result};

/// The most rows that one statement yields.
const ROWS_AT_ONCE: u32 = 256;
/// The most row numbers that one statement compares with a text, so that the first matches
/// are seen long before the last row has been read.
const SEQS_AT_ONCE: i64 = 4096;

/// Reads one part of the log in one statement.
#[async_trait]
pub trait ReadLogPart: Send + 'static {
    /// The newest row's number; 0 where there is none.
    async fn last(&self) -> Result<LogSeq>;

    /// At most `limit` rows from number `from` to number `to`, both included: downwards where `to` is the smaller one.
    /// With `text`, as [`LogQuery::text`] says.
    async fn part(
        &self,
        direction: Direction,
        from: i64,
        to: i64,
        text: Option<&str>,
        limit: u32,
    ) -> Result<Vec<LogRow>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Down,
    Up,
}

/// The rows of `query`, up to those that there are now.
pub fn log_rows_in_parts(reader: impl ReadLogPart, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
    stream::once(Rest::first(reader, query))
        .map_ok(|first| stream::try_unfold(first, Rest::read).map_ok(|rows| stream::iter(rows).map(Ok)).try_flatten())
        .try_flatten()
        .boxed()
}

/// What is still to be read.
struct Rest<R> {
    reader: R,
    direction: Direction,
    /// The row numbers from the first to be read to the last, both included.
    from: i64,
    to: i64,
    text: Option<String>,
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
        Ok(Self { reader, direction, from, to, text: query.text, left: query.limit })
    }

    /// Reads some rows and says what is left; none at the end.
    async fn read(mut self) -> Result<Option<(Vec<LogRow>, Self)>> {
        while !self.is_read() {
            let limit = self.left.min(ROWS_AT_ONCE);
            let end = self.end_of_statement();
            let rows = self.reader.part(self.direction, self.from, end, self.text.as_deref(), limit).await?;
            // Fewer rows than it might yield: the statement has read up to its end.
            let read_to = rows.last().filter(|_| rows.len() == limit as usize).map_or(end, |row| row.seq.0);
            self.from = match self.direction {
                Direction::Down => read_to - 1,
                Direction::Up => read_to + 1,
            };
            self.left -= u32::try_from(rows.len()).expect("a statement yields at most `left` rows");
            if !rows.is_empty() {
                return Ok(Some((rows, self)));
            }
        }
        Ok(None)
    }

    fn is_read(&self) -> bool {
        self.left == 0
            || match self.direction {
                Direction::Down => self.from < self.to,
                Direction::Up => self.from > self.to,
            }
    }

    fn end_of_statement(&self) -> i64 {
        match (&self.text, self.direction) {
            (None, _) => self.to,
            (Some(_), Direction::Down) => self.to.max(self.from.saturating_sub(SEQS_AT_ONCE - 1)),
            (Some(_), Direction::Up) => self.to.min(self.from.saturating_add(SEQS_AT_ONCE - 1)),
        }
    }
}
