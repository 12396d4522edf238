//! Reads log rows one by one, in parts and in blocks.

use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
use async_trait::async_trait;
use sqlx::PgConnection;
use store::codec::search_id;
use store::{Direction, LogBlock, LogEntry, ReadLogPart, Result};

use crate::connections::Connections;
use crate::error::Error;
use crate::escape::{escaped, unescaped};

/// The most rows of a block.
const BLOCK_ROWS: i64 = 1024;
/// The most bytes of text in a block. Its first row may be longer.
const BLOCK_BYTES: i64 = 1024 * 1024;

/// Statements that read rows differ only after `from log`. The macro builds each complete statement, so that sqlx
/// checks it at compile time.
macro_rules! select_rows {
    ($from_log:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            StoredRow,
            "select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                    searched_at_ms, recorded_at_ms
             from log " + $from_log,
            $($argument),+
        )
    };
}

/// A row as PostgreSQL yields it.
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
    /// Differs because PostgreSQL cannot store NUL: whether the texts are escaped.
    escaped: bool,
    searched_at_ms: i64,
    recorded_at_ms: i64,
}

impl StoredRow {
    fn into_row(self) -> Result<LogRow> {
        let plain = |text: String| if self.escaped { unescaped(&text) } else { text };
        Ok(LogRow {
            seq: LogSeq(self.id),
            search_id: search_id(&self.search_id)?,
            job_id: JobId(self.job_id),
            phrase: plain(self.phrase),
            letters: plain(self.letters),
            results: plain(self.results),
            ip: plain(self.ip),
            browser_family: plain(self.browser_string),
            user_agent: plain(self.user_agent),
            searched_at: TimeMs(self.searched_at_ms),
            recorded_at: TimeMs(self.recorded_at_ms),
        })
    }
}

pub(crate) async fn row_of_search(connections: &Connections, id: SearchId) -> Result<Option<LogRow>> {
    let row = connections.fetch_optional(select_rows!("where search_id = $1", id.to_string())).await?;
    row.map(StoredRow::into_row).transpose()
}

/// The rows after `after`, oldest first.
pub(crate) async fn rows_after(connection: &mut PgConnection, after: i64, limit: u32) -> Result<Vec<LogRow>, Error> {
    let rows = select_rows!("where id > $1 order by id limit $2", after, i64::from(limit));
    rows.fetch_all(connection).await?.into_iter().map(|row| Ok(row.into_row()?)).collect()
}

pub(crate) async fn last_seq(connections: &Connections) -> Result<LogSeq> {
    let last = sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "id!" from log"#);
    connections.fetch_one(last).await.map(LogSeq)
}

#[async_trait]
impl ReadLogPart for Connections {
    async fn last(&self) -> Result<LogSeq> {
        last_seq(self).await
    }

    async fn part(&self, direction: Direction, from: i64, to: i64, limit: u32) -> Result<Vec<LogRow>> {
        let limit = i64::from(limit);
        let rows = match direction {
            Direction::Down => {
                let rows = select_rows!("where id <= $1 and id >= $2 order by id desc limit $3", from, to, limit);
                self.fetch_all(rows).await
            }
            Direction::Up => {
                let rows = select_rows!("where id >= $1 and id <= $2 order by id limit $3", from, to, limit);
                self.fetch_all(rows).await
            }
        }?;
        rows.into_iter().map(StoredRow::into_row).collect()
    }
}

/// Differs because PostgreSQL sends many rows in one message, so SQL does not have to join them.
pub(crate) async fn log_block(connections: &Connections, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
    let rows = sqlx::query_as!(
        StoredRow,
        r#"select id as "id!", search_id as "search_id!", job_id as "job_id!", phrase as "phrase!",
                  letters as "letters!", results as "results!", ip as "ip!", browser_string as "browser_string!",
                  user_agent as "user_agent!", escaped as "escaped!", searched_at_ms as "searched_at_ms!",
                  recorded_at_ms as "recorded_at_ms!"
           from (
               select *, row_number() over upwards as row_number,
                      sum(octet_length(phrase) + octet_length(letters) + octet_length(results) + octet_length(ip)
                          + octet_length(browser_string) + octet_length(user_agent)) over upwards as octets
               from (select * from log where id > $1 and id <= $2 order by id limit $3) as candidate
               window upwards as (order by id)
           ) as measured
           where octets <= $4 or row_number = 1
           order by id"#,
        after.0,
        upto.0,
        BLOCK_ROWS,
        BLOCK_BYTES
    );
    let rows = connections.fetch_all(rows).await?.into_iter().map(StoredRow::into_row).collect::<Result<Vec<_>>>()?;
    Ok(LogBlock::of_rows(&rows))
}

/// New rows as columns, which a statement turns into rows again.
#[derive(Default)]
pub(crate) struct LogColumns {
    pub(crate) phrases: Vec<String>,
    pub(crate) letters: Vec<String>,
    pub(crate) ips: Vec<String>,
    pub(crate) browsers: Vec<String>,
    pub(crate) results: Vec<String>,
    pub(crate) agents: Vec<String>,
    pub(crate) escaped: Vec<bool>,
    pub(crate) searches: Vec<String>,
    pub(crate) jobs: Vec<i64>,
    pub(crate) searched_at: Vec<i64>,
    pub(crate) recorded_at: Vec<i64>,
}

impl LogColumns {
    pub(crate) fn of<'a>(entries: impl Iterator<Item = &'a LogEntry>) -> Self {
        let mut rows = Self::default();
        for entry in entries {
            let texts = [
                &entry.search.phrase,
                &entry.search.letters,
                &entry.search.ip,
                &entry.search.browser_family,
                &entry.search.results,
                &entry.search.user_agent,
            ];
            let has_nul = texts.iter().any(|text| text.contains('\0'));
            let [phrase, letters, ip, browser, results, agent] =
                texts.map(|text| if has_nul { escaped(text) } else { text.clone() });
            rows.phrases.push(phrase);
            rows.letters.push(letters);
            rows.ips.push(ip);
            rows.browsers.push(browser);
            rows.results.push(results);
            rows.agents.push(agent);
            rows.escaped.push(has_nul);
            rows.searches.push(entry.search.id.to_string());
            rows.jobs.push(entry.job_id.0);
            rows.searched_at.push(entry.search.searched_at.0);
            rows.recorded_at.push(entry.recorded_at.0);
        }
        rows
    }
}
