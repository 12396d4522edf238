//! Parts of the log, each read in one statement.

use api::{LogRow, LogSeq};
use async_trait::async_trait;
use store::{Direction, ReadLogPart, Result};

use crate::error::store_error;
use crate::log::{StoredRow, last_seq};
use crate::reader::Readers;

#[async_trait]
impl ReadLogPart for Readers {
    async fn last(&self) -> Result<LogSeq> {
        last_seq(self).await
    }

    async fn part(&self, direction: Direction, from: i64, to: i64, limit: u32) -> Result<Vec<LogRow>> {
        let rows = match direction {
            Direction::Down => down(self, from, to, limit).await,
            Direction::Up => up(self, from, to, limit).await,
        }?;
        rows.into_iter().map(StoredRow::into_row).collect()
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
