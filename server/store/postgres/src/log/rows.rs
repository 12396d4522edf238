//! Streams of log rows, read in short statements.
//!
//! One statement for all rows would hold a connection and a snapshot for as long as the slowest reader takes. So each
//! reads a bounded part and gives its connection back before the rows are handed on.

use api::{LogRow, LogSeq};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use store::{LogQuery, LogSpan, Result};

use crate::connections::{Connections, in_time};
use crate::escape::escaped;
use crate::log::{StoredRow, last_seq};

/// The most rows that one statement yields.
const ROWS_AT_ONCE: u32 = 256;
/// The most row numbers that one statement compares with a text, so that the first matches
/// are seen long before the last row has been read.
const SEQS_AT_ONCE: i64 = 4096;

pub(super) fn stream(connections: Connections, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
    stream::once(Part::first(connections, query))
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
    connections: Connections,
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
    async fn first(connections: Connections, query: LogQuery) -> Result<Self> {
        let LogSeq(last) = last_seq(&connections).await?;
        let (direction, from, to) = match query.span {
            LogSpan::Newest => (Direction::Down, last, 1),
            LogSpan::Before(LogSeq(seq)) => (Direction::Down, last.min(seq.saturating_sub(1)), 1),
            LogSpan::After(LogSeq(seq)) => (Direction::Up, seq.saturating_add(1).max(1), last),
        };
        Ok(Self { connections, direction, from, to, text: query.text, left: query.limit })
    }

    /// Reads some rows and says what is left; none at the end.
    async fn read(mut self) -> Result<Option<(Vec<StoredRow>, Self)>> {
        while !self.is_read() {
            let limit = self.left.min(ROWS_AT_ONCE);
            let end = self.end_of_statement();
            let rows = match (self.direction, &self.text) {
                (Direction::Down, None) => down(&self.connections, self.from, end, limit).await,
                (Direction::Up, None) => up(&self.connections, self.from, end, limit).await,
                (Direction::Down, Some(text)) => down_with(&self.connections, self.from, end, text, limit).await,
                (Direction::Up, Some(text)) => up_with(&self.connections, self.from, end, text, limit).await,
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

async fn down(connections: &Connections, from: i64, to: i64, limit: u32) -> Result<Vec<StoredRow>> {
    let statement = sqlx::query_as!(
        StoredRow,
        "select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                searched_at_ms, recorded_at_ms
         from log where id <= $1 and id >= $2 order by id desc limit $3",
        from,
        to,
        i64::from(limit)
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    connection.settle(rows).await
}

async fn up(connections: &Connections, from: i64, to: i64, limit: u32) -> Result<Vec<StoredRow>> {
    let statement = sqlx::query_as!(
        StoredRow,
        "select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                searched_at_ms, recorded_at_ms
         from log where id >= $1 and id <= $2 order by id limit $3",
        from,
        to,
        i64::from(limit)
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    connection.settle(rows).await
}

/// A text as it stands in rows of both kinds.
struct Sought {
    /// None where a row that is not escaped cannot hold it.
    plain: Option<String>,
    escaped: String,
}

impl Sought {
    fn of(text: &str) -> Self {
        Self { plain: (!text.contains('\0')).then(|| text.to_owned()), escaped: escaped(text) }
    }
}

// In the collation "C" lower() changes ASCII letters only, and strpos() knows no wildcards.

async fn down_with(connections: &Connections, from: i64, to: i64, text: &str, limit: u32) -> Result<Vec<StoredRow>> {
    let sought = Sought::of(text);
    let statement = sqlx::query_as!(
        StoredRow,
        r#"select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                searched_at_ms, recorded_at_ms
         from log
         cross join lateral (
             select lower((case when escaped then $4 else $3 end) collate "C") as text
         ) as sought
         where id <= $1 and id >= $2
           and (strpos(lower(phrase collate "C"), sought.text) > 0
                or strpos(lower(letters collate "C"), sought.text) > 0
                or strpos(lower(results collate "C"), sought.text) > 0
                or strpos(lower(ip collate "C"), sought.text) > 0
                or strpos(lower(browser_string collate "C"), sought.text) > 0
                or strpos(lower(user_agent collate "C"), sought.text) > 0)
         order by id desc limit $5"#,
        from,
        to,
        sought.plain,
        sought.escaped,
        i64::from(limit)
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    connection.settle(rows).await
}

async fn up_with(connections: &Connections, from: i64, to: i64, text: &str, limit: u32) -> Result<Vec<StoredRow>> {
    let sought = Sought::of(text);
    let statement = sqlx::query_as!(
        StoredRow,
        r#"select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                searched_at_ms, recorded_at_ms
         from log
         cross join lateral (
             select lower((case when escaped then $4 else $3 end) collate "C") as text
         ) as sought
         where id >= $1 and id <= $2
           and (strpos(lower(phrase collate "C"), sought.text) > 0
                or strpos(lower(letters collate "C"), sought.text) > 0
                or strpos(lower(results collate "C"), sought.text) > 0
                or strpos(lower(ip collate "C"), sought.text) > 0
                or strpos(lower(browser_string collate "C"), sought.text) > 0
                or strpos(lower(user_agent collate "C"), sought.text) > 0)
         order by id limit $5"#,
        from,
        to,
        sought.plain,
        sought.escaped,
        i64::from(limit)
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    connection.settle(rows).await
}
