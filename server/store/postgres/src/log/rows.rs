//! Parts of the log, each read in one statement.

use api::{LogRow, LogSeq};
use async_trait::async_trait;
use store::{Direction, ReadLogPart, Result};

use crate::connections::{Connections, in_time};
use crate::log::{StoredRow, last_seq};

#[async_trait]
impl ReadLogPart for Connections {
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
