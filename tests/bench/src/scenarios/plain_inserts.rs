//! What the rows alone cost: one statement each, 1,000 to a transaction.

use std::path::Path;
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::drain_peer::Drained;

const TO_A_TRANSACTION: u32 = 1000;
const INSERT: &str = "insert into log (phrase, letters, ip, browser_string, results, user_agent, search_id, job_id, \
                      searched_at_ms, recorded_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// In a macro, because the two databases' connections are of different types.
macro_rules! insert_all {
    ($connection:expr, $jobs:expr) => {{
        let begin = Instant::now();
        for first in (0..$jobs).step_by(TO_A_TRANSACTION as usize) {
            let mut transaction = $connection.begin().await?;
            for number in first..$jobs.min(first + TO_A_TRANSACTION) {
                sqlx::query(INSERT)
                    .bind("life, the universe, and everything!")
                    .bind("aeiou")
                    .bind("127.0.0.1")
                    .bind("Firefox")
                    .bind("{'e', 'i', 'u'}")
                    .bind("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
                    .bind(format!("{number:026}"))
                    .bind(i64::from(number))
                    .bind(1_800_000_000_000_i64)
                    .bind(1_800_000_000_000_i64)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        Ok(Drained { time: begin.elapsed(), cpu: None })
    }};
}

pub(super) async fn sqlite(file: &Path, jobs: u32) -> anyhow::Result<Drained> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(include_str!("../../../../migrations/sqlite/0002_log.sql")).execute(&mut connection).await?;
    insert_all!(connection, jobs)
}

pub(super) async fn postgres(url: &str, jobs: u32) -> anyhow::Result<Drained> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(include_str!("../../../../migrations/postgres/0002_log.sql")).execute(&mut connection).await?;
    insert_all!(connection, jobs)
}
