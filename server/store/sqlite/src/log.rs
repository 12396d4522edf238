//! The log of searches.

mod block;
mod record;
mod rows;

use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
use async_trait::async_trait;
use futures::stream::BoxStream;
use sqlx::{Sqlite, SqliteConnection, SqliteExecutor};
use store::codec::search_id;
use store::{FinishedAttempt, Log, LogBlock, LogEntry, LogQuery, Result, log_rows_in_parts};

use crate::SqliteStore;
use crate::error::store_error;
use crate::reader::Readers;

pub(crate) use crate::log::record::Record;

#[async_trait]
impl Log for SqliteStore {
    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq> {
        self.writer.ask_grouped(Record { entry, attempt }).await
    }

    fn log_rows(&self, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
        log_rows_in_parts(self.readers.clone(), query)
    }

    async fn log_block(&self, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
        block::log_block(&self.readers, after, upto).await
    }

    async fn last_log_seq(&self) -> Result<LogSeq> {
        last_seq(&self.readers).await
    }

    async fn log_row_of_search(&self, id: SearchId) -> Result<Option<LogRow>> {
        row_of_search(&mut *self.readers.get().await?, id).await
    }
}

async fn last_seq(readers: &Readers) -> Result<LogSeq> {
    let last =
        sqlx::query_scalar!(r#"select max(id) as "id: i64" from log"#).fetch_one(&mut *readers.get().await?).await;
    Ok(LogSeq(last.map_err(store_error)?.unwrap_or(0)))
}

pub(crate) async fn row_of_search<'e>(
    executor: impl SqliteExecutor<'e, Database = Sqlite>,
    id: SearchId,
) -> Result<Option<LogRow>> {
    let id = id.to_string();
    let row = sqlx::query_as!(
        StoredRow,
        r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                  searched_at_ms, recorded_at_ms
           from log where search_id = ?1"#,
        id
    );
    row.fetch_optional(executor).await.map_err(store_error)?.map(StoredRow::into_row).transpose()
}

/// The rows behind `after`, from the nearest upwards.
pub(crate) async fn rows_after(connection: &mut SqliteConnection, after: i64, limit: u32) -> Result<Vec<LogRow>> {
    let rows = sqlx::query_as!(
        StoredRow,
        r#"select id as "id!: i64", search_id, job_id, phrase, letters, results, ip, browser_string, user_agent,
                  searched_at_ms, recorded_at_ms
           from log where id > ?1 order by id limit ?2"#,
        after,
        limit
    );
    let rows = rows.fetch_all(connection).await.map_err(store_error)?;
    rows.into_iter().map(StoredRow::into_row).collect()
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
            browser_string: self.browser_string,
            user_agent: self.user_agent,
            searched_at: TimeMs(self.searched_at_ms),
            recorded_at: TimeMs(self.recorded_at_ms),
        })
    }
}
