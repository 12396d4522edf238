//! The PostgreSQL store: all promises, also through a pooler.

mod opening;
mod plans;
mod together;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use store::Store;
use store_postgres::{Access, OpenError, Options, PostgresStore};
use tests::{PostgresCluster, PostgresPooler};
use tokio::sync::OnceCell;

use crate::{Database, test_every_promise, tests_of};

mod promised {
    use super::*;

    test_every_promise!(PostgresDatabase);
}

/// A store in a database of its own.
pub(crate) struct PostgresDatabase {
    store: Arc<PostgresStore>,
    database: tests::PostgresDatabase,
}

#[async_trait]
impl Database for PostgresDatabase {
    // A database costs more here, and each step more than one way to the server and back.
    const CASES: u32 = 16;

    async fn create() -> Self {
        let database = create_database().await;
        let store = Arc::new(open(&database.url()).await.unwrap());
        Self { store, database }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn pool_probe(&self) -> Arc<dyn store::PoolProbe> {
        self.store.clone()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Arc::new(open(&self.database.url()).await.unwrap());
    }
}

/// A database of the shared cluster, with our tables.
async fn create_database() -> tests::PostgresDatabase {
    PostgresCluster::shared().await.create_prepared_database(migrate).await
}

async fn migrate(url: String) {
    open(&url).await.unwrap().close().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    // It would be the same in every copy.
    sqlx::query("delete from secret").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn open(url: &str) -> Result<PostgresStore, OpenError> {
    open_as(url, Access::Owner).await
}

async fn open_as(url: &str, access: Access) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(options(url), access).await
}

fn options(url: &str) -> Options {
    Options { url: url.to_owned(), listen_url: None, connections: 5 }
}

/// Fewer than a store has: so they are handed from one to another all the time.
const SERVER_CONNECTIONS: u32 = 2;

/// A store that reaches its database through a pooler, but for what a pooler cannot do.
struct PooledDatabase {
    store: Arc<PostgresStore>,
    database: tests::PostgresDatabase,
}

#[async_trait]
impl Database for PooledDatabase {
    const CASES: u32 = 4;

    async fn create() -> Self {
        let database = create_database().await;
        let store = open_through_pooler(&database).await;
        Self { store, database }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn pool_probe(&self) -> Arc<dyn store::PoolProbe> {
        self.store.clone()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = open_through_pooler(&self.database).await;
    }
}

async fn open_through_pooler(database: &tests::PostgresDatabase) -> Arc<PostgresStore> {
    let url = pooler().await.url(database.name());
    let options = Options { url, listen_url: Some(database.url()), connections: 5 };
    Arc::new(PostgresStore::open(options, Access::Owner).await.unwrap())
}

async fn pooler() -> &'static PostgresPooler {
    static POOLER: OnceCell<PostgresPooler> = OnceCell::const_new();
    POOLER.get_or_init(async || PostgresCluster::shared().await.start_pooler(SERVER_CONNECTIONS).await).await
}

mod promised_through_a_pooler {
    use super::*;

    tests_of! { PooledDatabase;
        accepting: [
            an_accepted_job_is_there_after_a_reopening,
            the_same_search_twice_in_one_commit_is_accepted_once,
            concurrent_searches_are_all_accepted,
            a_caller_who_goes_away_disturbs_nobody,
            a_bad_command_fails_alone,
        ],
        claiming: [
            the_most_urgent_and_then_the_oldest_come_first,
            no_job_is_handed_out_twice,
            leases_are_prolonged_only_for_who_holds_them,
        ],
        reporting: [
            what_was_reported_is_read_back,
            who_no_longer_holds_the_attempt_reports_nothing,
            a_new_attempt_continues_the_numbers,
            parts_are_read_from_where_one_was,
            parts_that_are_put_out_at_the_same_time_are_all_there,
            a_report_that_cannot_be_stored_changes_nothing,
            what_was_put_out_goes_with_its_job,
            a_report_wakes_those_who_follow_after_its_commit,
        ],
        pool_probe: [
            a_connection_comes_back,
            a_connection_comes_back_after_a_statement_that_fails,
            a_connection_comes_back_after_a_panic,
            a_connection_comes_back_from_a_task_that_is_stopped,
            a_probe_waits_for_a_connection_as_readers_do,
        ],
        browsing: [
            pages_can_show_one_kind,
            wake_ups_come_after_the_commit_and_only_for_what_was_touched,
        ],
        kinds: [
            a_kind_is_introduced_once,
        ],
        model: [
            any_sequence_of_verbs_does_what_the_model_does,
        ],
        log: [
            rows_are_numbered_in_the_order_of_their_visibility,
            a_reader_who_stops_blocks_nobody,
        ],
        lifecycle: [
            a_store_answers_a_ping,
            what_was_handed_in_before_the_close_is_written,
        ],
    }
}
