//! The log of searches.

mod block;
mod record;
mod rows;

use api::{JobId, Ledger, LogRow, LogSeq, MissingSearch, SearchId, TimeMs};
use async_trait::async_trait;
use futures::stream::BoxStream;
use sqlx::PgConnection;
use store::codec::search_id;
use store::{Accepted, FinishedAttempt, LogBlock, LogEntry, LogQuery, NewJob, Result, SearchLog, log_rows_in_parts};

use crate::PostgresStore;
use crate::connections::{Connections, in_time};
use crate::error::store_error;
use crate::escape::unescaped;
use crate::queue::add::{Add, Added};
use crate::queue::ledger;

pub(crate) use crate::log::record::{Record, Rows};

#[async_trait]
impl SearchLog for PostgresStore {
    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted> {
        match self.adds.ask(Add { job, search: Some(search) }).await? {
            Added::New(id) => Ok(Accepted::New(id)),
            Added::Queued { job, payload } => Ok(Accepted::Queued { job, payload }),
            Added::Recorded(row) => Ok(Accepted::Recorded(row)),
        }
    }

    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq> {
        self.records.ask(Record { entry, attempt }).await
    }

    fn log_rows(&self, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
        log_rows_in_parts(self.connections.clone(), query)
    }

    async fn log_block(&self, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
        block::log_block(&self.connections, after, upto).await
    }

    async fn last_log_seq(&self) -> Result<LogSeq> {
        last_seq(&self.connections).await
    }

    async fn log_row_of_search(&self, id: SearchId) -> Result<Option<LogRow>> {
        row_of_search(&self.connections, id).await
    }

    async fn ledger(&self) -> Result<Ledger> {
        ledger::ledger(&self.connections).await
    }

    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>> {
        ledger::missing_searches(&self.connections, limit).await
    }
}

async fn last_seq(connections: &Connections) -> Result<LogSeq> {
    let statement = sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "id!" from log"#);
    let mut connection = connections.get().await?;
    let last = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(last).await.map(LogSeq)
}

pub(crate) async fn row_of_search(connections: &Connections, id: SearchId) -> Result<Option<LogRow>> {
    let statement = sqlx::query_as!(
        StoredRow,
        "select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                searched_at_ms, recorded_at_ms
         from log where search_id = $1",
        id.to_string()
    );
    let mut connection = connections.get().await?;
    let row = in_time(statement.fetch_optional(&mut *connection)).await;
    connection.settle(row).await?.map(StoredRow::into_row).transpose()
}

/// The rows behind `after`, from the nearest upwards.
pub(crate) async fn rows_after(connection: &mut PgConnection, after: i64, limit: u32) -> Result<Vec<LogRow>> {
    let rows = sqlx::query_as!(
        StoredRow,
        "select id, search_id, job_id, phrase, letters, results, ip, browser_string, user_agent, escaped,
                searched_at_ms, recorded_at_ms
         from log where id > $1 order by id limit $2",
        after,
        i64::from(limit)
    );
    let rows = rows.fetch_all(connection).await.map_err(store_error)?;
    rows.into_iter().map(StoredRow::into_row).collect()
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
