//! Streams of log rows, read in short statements.
//!
//! One statement for all rows would hold one snapshot for as long as the slowest reader takes,
//! and the write-ahead log could not shrink meanwhile. So each statement reads a bounded part
//! and gives its connection back before the rows are handed on.

use api::{LogRow, LogSeq};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use store::{LogQuery, LogSpan, Result};

use crate::error::store_error;
use crate::log::{StoredRow, last_seq};
use crate::reader::Readers;

/// The most rows that one statement yields.
const ROWS_AT_ONCE: u32 = 256;
/// The most row numbers that one statement compares with a text, so that the first matches
/// are seen long before the last row has been read.
const SEQS_AT_ONCE: i64 = 4096;

pub(super) fn stream(readers: Readers, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
    stream::once(Part::first(readers, query))
        .map_ok(|first| {
            stream::try_unfold(first, Part::read)
                .map_ok(|rows| stream::iter(rows).map(StoredRow::into_row))
                .try_flatten()
        })
        .try_flatten()
        .boxed()
}

/// What is still to be read.
struct Part {
    readers: Readers,
    direction: Direction,
    /// The row numbers from the first to be read to the last, both included.
    from: i64,
    to: i64,
    text: Option<String>,
    left: u32,
}

#[derive(Clone, Copy)]
enum Direction {
    Down,
    Up,
}

impl Part {
    /// The whole of `query`, up to the rows that there are now.
    async fn first(readers: Readers, query: LogQuery) -> Result<Self> {
        let LogSeq(last) = last_seq(&readers).await?;
        let (direction, from, to) = match query.span {
            LogSpan::Newest => (Direction::Down, last, 1),
            LogSpan::Before(LogSeq(seq)) => (Direction::Down, last.min(seq.saturating_sub(1)), 1),
            LogSpan::After(LogSeq(seq)) => (Direction::Up, seq.saturating_add(1).max(1), last),
        };
        Ok(Self { readers, direction, from, to, text: query.text, left: query.limit })
    }

    /// Reads some rows and says what is left; none at the end.
    async fn read(mut self) -> Result<Option<(Vec<StoredRow>, Self)>> {
        while !self.is_read() {
            let limit = self.left.min(ROWS_AT_ONCE);
            let end = self.end_of_statement();
            let rows = match (self.direction, &self.text) {
                (Direction::Down, None) => down(&self.readers, self.from, end, limit).await,
                (Direction::Up, None) => up(&self.readers, self.from, end, limit).await,
                (Direction::Down, Some(text)) => down_with(&self.readers, self.from, end, text, limit).await,
                (Direction::Up, Some(text)) => up_with(&self.readers, self.from, end, text, limit).await,
            }?;
            // Fewer rows than it might yield: the statement has read up to its end.
            let read_to = rows.last().filter(|_| rows.len() == limit as usize).map_or(end, |row| row.id);
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

async fn down(readers: &Readers, from: i64, to: i64, limit: u32) -> Result<Vec<StoredRow>> {
    sqlx::query_as!(
        StoredRow,
        r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                  searched_at_ms, recorded_at_ms
           from log where id <= ?1 and id >= ?2 order by id desc limit ?3"#,
        from,
        to,
        limit
    )
    .fetch_all(&mut *readers.get().await?)
    .await
    .map_err(store_error)
}

async fn up(readers: &Readers, from: i64, to: i64, limit: u32) -> Result<Vec<StoredRow>> {
    sqlx::query_as!(
        StoredRow,
        r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                  searched_at_ms, recorded_at_ms
           from log where id >= ?1 and id <= ?2 order by id limit ?3"#,
        from,
        to,
        limit
    )
    .fetch_all(&mut *readers.get().await?)
    .await
    .map_err(store_error)
}

// SQLite's lower() changes ASCII letters only, and instr() knows no wildcards.

async fn down_with(readers: &Readers, from: i64, to: i64, text: &str, limit: u32) -> Result<Vec<StoredRow>> {
    sqlx::query_as!(
        StoredRow,
        r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                  searched_at_ms, recorded_at_ms
           from log
           where id <= ?1 and id >= ?2
             and (instr(lower(phrase), lower(?3)) or instr(lower(letters), lower(?3))
                  or instr(lower(results), lower(?3)) or instr(lower(ip), lower(?3))
                  or instr(lower(browser_string), lower(?3)) or instr(lower(user_agent), lower(?3)))
           order by id desc limit ?4"#,
        from,
        to,
        text,
        limit
    )
    .fetch_all(&mut *readers.get().await?)
    .await
    .map_err(store_error)
}

async fn up_with(readers: &Readers, from: i64, to: i64, text: &str, limit: u32) -> Result<Vec<StoredRow>> {
    sqlx::query_as!(
        StoredRow,
        r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                  searched_at_ms, recorded_at_ms
           from log
           where id >= ?1 and id <= ?2
             and (instr(lower(phrase), lower(?3)) or instr(lower(letters), lower(?3))
                  or instr(lower(results), lower(?3)) or instr(lower(ip), lower(?3))
                  or instr(lower(browser_string), lower(?3)) or instr(lower(user_agent), lower(?3)))
           order by id limit ?4"#,
        from,
        to,
        text,
        limit
    )
    .fetch_all(&mut *readers.get().await?)
    .await
    .map_err(store_error)
}
