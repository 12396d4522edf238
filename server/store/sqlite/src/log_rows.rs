//! Reads log rows one by one, in parts and in blocks, and writes them to another file.

use std::path::Path;

use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::codec::search_id;
use store::{Direction, LogBlock, LogSink, Manifest, ReadLogPart, Result};

use crate::bulk::{Texts, json_rows};
use crate::connections::Connections;
use crate::error::store_error;

/// The most rows of a block. More would hardly be faster, and would take more memory.
const BLOCK_ROWS: u32 = 1024;
/// A row with at least this many bytes of text is long. A block without long rows is a few MiB at most.
const LONG_ROW_BYTES: i64 = 4096;
/// The most long rows of a block.
const BLOCK_LONG_ROWS: u32 = 8;

/// Statements that read rows differ only after `from log`. The macro builds each complete statement, so that sqlx
/// checks it at compile time.
macro_rules! select_rows {
    ($from_log:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            StoredRow,
            r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                      searched_at_ms, recorded_at_ms
               from log "# + $from_log,
            $($argument),+
        )
    };
}

/// A row as SQLite yields it.
struct StoredRow {
    id: i64,
    search_id: String,
    job_id: i64,
    phrase: String,
    letters: String,
    results: String,
    ip: String,
    browser_string: String,
    user_agent: String,
    searched_at_ms: i64,
    recorded_at_ms: i64,
}

impl StoredRow {
    fn into_row(self) -> Result<LogRow> {
        Ok(LogRow {
            seq: LogSeq(self.id),
            search_id: search_id(&self.search_id)?,
            job_id: JobId(self.job_id),
            phrase: self.phrase,
            letters: self.letters,
            results: self.results,
            ip: self.ip,
            browser_family: self.browser_string,
            user_agent: self.user_agent,
            searched_at: TimeMs(self.searched_at_ms),
            recorded_at: TimeMs(self.recorded_at_ms),
        })
    }
}

pub(crate) async fn row_of_search(connection: &mut SqliteConnection, id: SearchId) -> Result<Option<LogRow>> {
    let id = id.to_string();
    let row = select_rows!("where search_id = ?1", id);
    row.fetch_optional(connection).await.map_err(store_error)?.map(StoredRow::into_row).transpose()
}

/// The rows after `after`, oldest first.
pub(crate) async fn rows_after(connection: &mut SqliteConnection, after: i64, limit: u32) -> Result<Vec<LogRow>> {
    let rows = select_rows!("where id > ?1 order by id limit ?2", after, limit);
    let rows = rows.fetch_all(connection).await.map_err(store_error)?;
    rows.into_iter().map(StoredRow::into_row).collect()
}

pub(crate) async fn last_seq(connections: &Connections) -> Result<LogSeq> {
    let last = sqlx::query_scalar!(r#"select max(id) as "id: i64" from log"#);
    Ok(LogSeq(connections.fetch_one(last).await?.unwrap_or(0)))
}

#[async_trait]
impl ReadLogPart for Connections {
    async fn last(&self) -> Result<LogSeq> {
        last_seq(self).await
    }

    async fn part(&self, direction: Direction, from: i64, to: i64, limit: u32) -> Result<Vec<LogRow>> {
        let rows = match direction {
            Direction::Down => {
                let rows = select_rows!("where id <= ?1 and id >= ?2 order by id desc limit ?3", from, to, limit);
                self.fetch_all(rows).await
            }
            Direction::Up => {
                let rows = select_rows!("where id >= ?1 and id <= ?2 order by id limit ?3", from, to, limit);
                self.fetch_all(rows).await
            }
        }?;
        rows.into_iter().map(StoredRow::into_row).collect()
    }
}

/// Reads many log rows as one SQLite row.
///
/// Each row that SQLite yields crosses a channel between two threads, which costs several times as much as reading it.
/// So SQL joins up to [`BLOCK_ROWS`] rows, and the caller splits them. The separators are bytes that no text contains,
/// so neither escapes nor lengths are needed.
pub(crate) async fn log_block(connections: &Connections, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
    let (mut lines, first_long) = read_lines(connections, after, upto, BLOCK_ROWS, LONG_ROW_BYTES).await?;
    if let Some(first_long) = first_long {
        truncate_before(&mut lines, first_long);
        if lines.is_empty() {
            (lines, _) = read_lines(connections, after, upto, BLOCK_LONG_ROWS, i64::MAX).await?;
        }
    }
    LogBlock::of_lines(lines)
}

/// The lines of a block, and the number of the first long row, if any. The line of a long row is only its number.
async fn read_lines(
    connections: &Connections,
    after: LogSeq,
    upto: LogSeq,
    rows: u32,
    long_bytes: i64,
) -> Result<(Vec<u8>, Option<i64>)> {
    // Ordered in the subquery: outside, the joined rows would be sorted once more. Splitting the block verifies that
    // SQLite has kept the order.
    let read = sqlx::query!(
        r#"select cast(group_concat(line, cast(x'fe' as text)) as blob) as "lines: Vec<u8>",
                  min(long) as "first_long: i64"
           from (
               select iif(octets > ?4, id, null) as long,
                      iif(octets > ?4, id,
                          concat_ws(cast(x'ff' as text), id, search_id, job_id, phrase, letters, results, ip,
                                    browser_string, user_agent, searched_at_ms, recorded_at_ms)) as line
               from (
                   select *, octet_length(phrase) + octet_length(letters) + octet_length(results) + octet_length(ip)
                             + octet_length(browser_string) + octet_length(user_agent) as octets
                   from log where id > ?1 and id <= ?2 order by id limit ?3
               )
           )"#,
        after.0,
        upto.0,
        rows,
        long_bytes
    );
    let read = connections.fetch_one(read).await?;
    Ok((read.lines.unwrap_or_default(), read.first_long))
}

/// Keeps the lines before the one that consists of this number.
fn truncate_before(lines: &mut Vec<u8>, number: i64) {
    let number = number.to_string();
    let before = lines.split(|&byte| byte == LogBlock::ROW_END).take_while(|line| *line != number.as_bytes());
    let length: usize = before.map(|line| line.len() + 1).sum();
    lines.truncate(length.saturating_sub(1));
}

/// One statement for all rows: an export has millions.
pub(crate) async fn insert_rows(rows: &[LogRow], connection: &mut SqliteConnection) -> Result<()> {
    let mut texts = Texts::default();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let texts = [&row.phrase, &row.letters, &row.ip, &row.browser_family, &row.results, &row.user_agent]
                .map(|text| texts.add(text));
            (texts, row.seq, row.search_id, row.job_id, row.searched_at, row.recorded_at)
        })
        .collect();
    let (rows, texts) = (json_rows(&rows), texts.into_blob());
    sqlx::query!(
        "insert into log (id, phrase, letters, ip, browser_string, results, user_agent,
                          search_id, job_id, searched_at_ms, recorded_at_ms)
         select new.value ->> 1,
                cast(substr(?2, new.value ->> '$[0][0][0]', new.value ->> '$[0][0][1]') as text),
                cast(substr(?2, new.value ->> '$[0][1][0]', new.value ->> '$[0][1][1]') as text),
                cast(substr(?2, new.value ->> '$[0][2][0]', new.value ->> '$[0][2][1]') as text),
                cast(substr(?2, new.value ->> '$[0][3][0]', new.value ->> '$[0][3][1]') as text),
                cast(substr(?2, new.value ->> '$[0][4][0]', new.value ->> '$[0][4][1]') as text),
                cast(substr(?2, new.value ->> '$[0][5][0]', new.value ->> '$[0][5][1]') as text),
                new.value ->> 2, new.value ->> 3, new.value ->> 4, new.value ->> 5
         from jsonb_each(?1) as new",
        rows,
        texts
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// The first version of the table: an export needs nothing that later migrations added.
const TABLE: &str = include_str!("../../../../migrations/sqlite/0002_log.sql");

/// Has one row, which is written last.
const MANIFEST_TABLE: &str = "create table manifest (
    complete integer not null primary key,
    rows integer not null,
    after integer not null,
    upto integer not null,
    filter text not null,
    exported_at_ms integer not null
) strict";

/// A new database that contains only the log, for an export.
#[derive(Debug)]
pub struct LogFile {
    connection: SqliteConnection,
}

impl LogFile {
    /// Fills `file`, which is empty or does not exist yet.
    pub async fn create(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            // Nothing reads the file before it is complete, and a partial one is discarded. So it needs no journal.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(store_error)?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await.map_err(store_error)?;
        Ok(Self { connection })
    }

    /// Adds the manifest and writes all to the file, but does not sync it to the disk.
    pub async fn close(mut self, manifest: &Manifest) -> Result<()> {
        sqlx::raw_sql(MANIFEST_TABLE).execute(&mut self.connection).await.map_err(store_error)?;
        sqlx::query("insert into manifest values (1, ?, ?, ?, ?, ?)")
            .bind(i64::try_from(manifest.rows).unwrap_or(i64::MAX))
            .bind(manifest.after.0)
            .bind(manifest.upto.0)
            .bind(&manifest.filter)
            .bind(manifest.exported_at.0)
            .execute(&mut self.connection)
            .await
            .map_err(store_error)?;
        self.connection.close().await.map_err(store_error)
    }
}

#[async_trait]
impl LogSink for LogFile {
    async fn put(&mut self, rows: &[LogRow]) -> Result<()> {
        insert_rows(rows, &mut self.connection).await
    }
}
