//! The log of searches: accepts a search, and reads its rows.

use api::{Ledger, LogRow, LogSeq, MissingSearch, SearchId};
use async_trait::async_trait;
use futures::stream::BoxStream;
use store::codec::corrupt;
use store::{Accepted, FinishedAttempt, LogBlock, LogEntry, LogQuery, NewJob, Result, SearchLog, log_rows_in_parts};

use crate::job_queue::{Add, Added};
use crate::record::Record;
use crate::{PostgresStore, ledger, log_rows};

#[async_trait]
impl SearchLog for PostgresStore {
    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted> {
        let key = job.key.clone();
        match self.adds.write(Add { job, search: Some(search) }).await? {
            Added::New(id) => Ok(Accepted::New(id)),
            Added::Queued { job, payload } => Ok(Accepted::Queued { job, payload }),
            // Rare: only if a search is sent again after its job was pruned.
            Added::Refused => match log_rows::row_of_search(&self.connections, search).await? {
                Some(row) => Ok(Accepted::Recorded(Box::new(row))),
                None => Err(corrupt("job that conflicts with none", key)),
            },
        }
    }

    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq> {
        self.records.write(Record { entry, attempt }).await
    }

    fn log_rows(&self, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
        log_rows_in_parts(self.connections.clone(), query)
    }

    async fn log_block(&self, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
        log_rows::log_block(&self.connections, after, upto).await
    }

    async fn last_log_seq(&self) -> Result<LogSeq> {
        log_rows::last_seq(&self.connections).await
    }

    async fn log_row_of_search(&self, id: SearchId) -> Result<Option<LogRow>> {
        log_rows::row_of_search(&self.connections, id).await
    }

    async fn ledger(&self) -> Result<Ledger> {
        ledger::ledger(&self.connections).await
    }

    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>> {
        ledger::missing_searches(&self.connections, limit).await
    }
}
