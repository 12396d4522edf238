//! Direct access to the database, without the product.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use api::SearchId;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};
use tests::within;

use crate::client_log::ClientLog;

/// How long the remaining jobs may take. Tests with more jobs pass their own limit.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(90);

/// SQLite's lock is not fair, and a server under load takes it often.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Tables(Connection);

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Runs the same query on either database: their drivers have no common type.
macro_rules! query {
    ($tables:expr, $sql:expr, $connection:ident => $question:expr) => {{
        let answer = match &mut $tables.0 {
            Connection::Sqlite($connection) => $question.await,
            Connection::Postgres($connection) => $question.await,
        };
        answer.unwrap_or_else(|error| panic!("{}: {error}", $sql))
    }};
}

impl Tables {
    pub(crate) async fn open(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(BUSY_TIMEOUT);
        Self(Connection::Sqlite(options.connect().await.expect("the server has created its database")))
    }

    /// Connects to a database on a PostgreSQL server.
    pub(crate) async fn connect(url: &str) -> Self {
        Self(Connection::Postgres(PgConnection::connect(url).await.expect("the database is there")))
    }

    /// The only value of a statement's only row.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        query!(self, sql, connection => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection))
    }

    pub(crate) async fn numbers(&mut self, sql: &str) -> Vec<i64> {
        query!(self, sql, connection => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection))
    }

    pub(crate) async fn text(&mut self, sql: &str) -> String {
        query!(self, sql, connection => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection))
    }

    /// Changes the database without the server.
    pub(crate) async fn run(&mut self, sql: &str) {
        query!(self, sql, connection => async { sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop) });
    }

    /// Adds a waiting job, as the server would have.
    pub(crate) async fn add_job(&mut self, kind: &str, key: Option<&str>, payload: &str) {
        self.add_rows(kind, &json!([[key, payload]])).await;
    }

    /// Adds waiting jobs by their keys and payloads, as the server would have.
    pub(crate) async fn add_jobs(&mut self, kind: &str, jobs: &[(String, String)]) {
        self.add_rows(kind, &json!(jobs)).await;
    }

    async fn add_rows(&mut self, kind: &str, rows: &Value) {
        let add = "insert into job (kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
             select ?1, value ->> 0, value ->> 1, 'waiting', 0, 20, 0, 0 from json_each(?2)";
        let count = "insert into job_count (kind, state, count) values (?1, 'waiting', json_array_length(?2))
             on conflict (kind, state) do update set count = count + excluded.count";
        let accepted = "update ledger set accepted = accepted + json_array_length(?2) where ?1 = 'log_request'";
        let rows = rows.to_string();
        let Connection::Sqlite(connection) = &mut self.0 else { panic!("these are SQLite's statements") };
        let mut transaction = connection.begin().await.expect("no other writer");
        for statement in [add, count, accepted] {
            let done = sqlx::query(statement).bind(kind).bind(&rows).execute(&mut *transaction).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        transaction.commit().await.expect("no other writer");
    }

    /// Adds the waiting jobs of searches, given as ids and phrases. Triggers count them.
    pub(crate) async fn add_log_jobs(&mut self, searches: &[(String, String)]) {
        let rows = json!(searches).to_string();
        let add = format!(
            r#"insert into job (kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
             select 'log_request', value ->> 0, jsonb_build_object('v', 1, 'id', value ->> 0, 'phrase', value ->> 1,
                 'letters', 'aeiou', 'results', '', 'ip', '', 'browser_string', '', 'user_agent', '',
                 'searched_at', 1700000000000)::text, 'waiting', 0, 20, 0, 1700000000000
             from jsonb_array_elements('{rows}') as value"#
        );
        self.run(&add).await;
    }

    /// How many jobs are in each state.
    pub(crate) async fn jobs(&mut self) -> BTreeMap<String, i64> {
        self.counts("select state, count(*) from job group by state").await.into_iter().collect()
    }

    /// Pairs of a text and a number.
    pub(crate) async fn counts(&mut self, sql: &str) -> Vec<(String, i64)> {
        query!(self, sql, connection => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection))
    }

    /// Waits until no job is open.
    pub(crate) async fn all_jobs_done(&mut self) {
        self.settled(&ClientLog::default(), SETTLE_TIMEOUT).await;
    }

    /// Waits until each promised row exists and no job is open.
    pub(crate) async fn all_promises_kept(&mut self, client_log: &ClientLog) {
        self.settled(client_log, SETTLE_TIMEOUT).await;
    }

    pub(crate) async fn settled(&mut self, client_log: &ClientLog, patience: Duration) {
        let promised = client_log.promised().len();
        let settled = within(patience, async || {
            let rows = self.number("select count(*) from log").await;
            // Cheap checks first: the rows are read only if there may be enough of them and no job is open.
            let may_be = rows >= i64::try_from(promised).unwrap_or(i64::MAX) && self.open_jobs().await == 0;
            (may_be && self.lost(client_log).await.is_empty()).then_some(())
        });
        if settled.await.is_none() {
            let (jobs, lost) = (self.jobs().await, self.lost(client_log).await);
            let some: Vec<_> = lost.iter().take(3).collect();
            panic!(
                "after {patience:?} {} of {promised} promised rows are missing, {some:?}; jobs: {jobs:?}",
                lost.len()
            );
        }
    }

    /// Panics unless each promised row exists once, no other row exists, and the file is sound.
    pub(crate) async fn assert_logged(&mut self, client_log: &ClientLog) {
        let phrases = client_log.phrases();
        let rows = self.rows().await;
        for (id, logged) in &rows {
            let expected = phrases.get(id).map(|phrase| vec![phrase.clone()]);
            assert_eq!(Some(logged), expected.as_ref(), "the rows of search {id}");
        }
        let lost = self.lost(client_log).await;
        assert!(
            lost.is_empty(),
            "promised and not logged: {} of {}: {lost:?}",
            lost.len(),
            client_log.promised().len()
        );
        if matches!(self.0, Connection::Sqlite(_)) {
            assert_eq!(self.text("pragma integrity_check").await, "ok");
        }
    }

    /// Panics unless the stored counts of jobs match the jobs.
    pub(crate) async fn assert_job_counts_match(&mut self) {
        let wrong = match self.0 {
            Connection::Sqlite(_) => {
                "select count(*) from job_count where count <>
                     (select count(*) from job where job.kind = job_count.kind and job.state = job_count.state)"
            }
            Connection::Postgres(_) => {
                "select count(*) from (
                     select kind, state from (
                         select kind, state, count from total where what = 'jobs'
                         union all
                         select kind, state, by from tally, folded where what = 'jobs' and xid >= up_to
                         union all
                         select kind, state, -count(*) from job group by kind, state
                     ) as line group by kind, state having sum(count) <> 0
                 ) as wrong"
            }
        };
        assert_eq!(self.number(wrong).await, 0, "counts of jobs are wrong");
    }

    async fn open_jobs(&mut self) -> i64 {
        self.number("select count(*) from job where state not in ('done', 'dead', 'cancelled')").await
    }

    /// The searches whose promised rows are missing.
    async fn lost(&mut self, client_log: &ClientLog) -> Vec<SearchId> {
        let rows = self.rows().await;
        client_log.promised().into_iter().filter(|id| !rows.contains_key(id)).collect()
    }

    async fn rows(&mut self) -> BTreeMap<SearchId, Vec<String>> {
        let sql = "select search_id, phrase from log";
        let rows: Vec<(String, String)> = query!(self, sql, connection => sqlx::query_as(sql).fetch_all(connection));
        let mut logged: BTreeMap<SearchId, Vec<String>> = BTreeMap::new();
        for (id, phrase) in rows {
            logged.entry(id.parse().expect("search ids are ULIDs")).or_default().push(phrase);
        }
        logged
    }
}

/// The write lock of the database, held until it is released or dropped.
pub(crate) struct Lock(Tables);

impl Lock {
    pub(crate) async fn take(database: &Path) -> Self {
        let mut tables = Tables::open(database).await;
        tables.run("begin immediate").await;
        Self(tables)
    }

    pub(crate) async fn release(mut self) {
        self.0.run("rollback").await;
    }
}
