//! The database's file, read past the product: as any SQLite client would.

use std::collections::BTreeMap;
use std::path::Path;

use api::SearchId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tests::eventually::eventually;

use crate::journal::Journal;

pub(crate) struct Tables(SqliteConnection);

impl Tables {
    pub(crate) async fn open(file: &Path) -> Self {
        Self(SqliteConnectOptions::new().filename(file).connect().await.expect("the server has made its database"))
    }

    /// The only value of a statement's only row.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut self.0)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// How many jobs are in each state.
    pub(crate) async fn jobs(&mut self) -> BTreeMap<String, i64> {
        let sql = "select state, count(*) from job group by state";
        let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut self.0).await.expect("table job is there");
        rows.into_iter().collect()
    }

    /// Waits until no job is left to do.
    pub(crate) async fn all_jobs_done(&mut self) {
        eventually("every job is done", async || {
            let open = self.number("select count(*) from job where state <> 'done'").await;
            (open == 0).then_some(())
        })
        .await;
    }

    /// Panics unless each search that was answered has exactly one row, with its phrase, and the file is sound.
    pub(crate) async fn assert_logged(&mut self, journal: &Journal) {
        let sql = "select search_id, phrase from log";
        let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut self.0).await.expect("table log is there");
        let mut logged: BTreeMap<SearchId, Vec<String>> = BTreeMap::new();
        for (id, phrase) in rows {
            logged.entry(id.parse().expect("search ids are ULIDs")).or_default().push(phrase);
        }
        let twice: Vec<_> = logged.iter().filter(|(_, phrases)| phrases.len() > 1).collect();
        assert!(twice.is_empty(), "logged more than once: {twice:?}");
        let answered = journal.answered();
        let lost: Vec<_> =
            answered.iter().filter(|(id, phrase)| logged.get(id) != Some(&vec![(*phrase).clone()])).collect();
        assert!(lost.is_empty(), "answered and not logged: {} of {}: {lost:?}", lost.len(), answered.len());

        let integrity: String =
            sqlx::query_scalar("pragma integrity_check").fetch_one(&mut self.0).await.expect("the check runs");
        assert_eq!(integrity, "ok");
    }
}
