//! Parts of the log, each read in one statement.

use api::{LogRow, LogSeq};
use async_trait::async_trait;
use store::{Direction, ReadLogPart, Result};

use crate::connections::{Connections, in_time};
use crate::escape::escaped;
use crate::log::{StoredRow, last_seq};

#[async_trait]
impl ReadLogPart for Connections {
    async fn last(&self) -> Result<LogSeq> {
        last_seq(self).await
    }

    async fn part(
        &self,
        direction: Direction,
        from: i64,
        to: i64,
        text: Option<&str>,
        limit: u32,
    ) -> Result<Vec<LogRow>> {
        let rows = match (direction, text) {
            (Direction::Down, None) => down(self, from, to, limit).await,
            (Direction::Up, None) => up(self, from, to, limit).await,
            (Direction::Down, Some(text)) => down_with(self, from, to, text, limit).await,
            (Direction::Up, Some(text)) => up_with(self, from, to, text, limit).await,
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
