//! The PostgreSQL store: all promises, also through a pooler.

mod audit;
mod opening;
mod plans;
mod surroundings;
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
    // A database costs more here, and each step takes several round trips.
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

/// A migrated database of the shared cluster.
async fn create_database() -> tests::PostgresDatabase {
    PostgresCluster::shared().await.create_prepared_database(migrate).await
}

async fn migrate(url: String) {
    open(&url).await.unwrap().close().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    // Otherwise all copies would have the same secret.
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

/// Fewer than a store has, so that clients constantly share them.
const SERVER_CONNECTIONS: u32 = 2;

/// A store that reaches its database through a pooler, except for LISTEN, which a pooler cannot do.
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
            an_accepted_job_survives_a_reopening,
            the_same_search_twice_in_one_commit_is_accepted_once,
            concurrent_searches_are_all_accepted,
            a_cancelled_call_does_not_disturb_others,
            a_bad_command_fails_alone,
        ],
        claiming: [
            the_most_urgent_and_then_the_oldest_come_first,
            no_job_is_claimed_twice,
            leases_are_renewed_only_for_their_holder,
        ],
        reporting: [
            a_report_is_read_back,
            a_worker_that_lost_its_attempt_reports_nothing,
            a_new_attempt_continues_the_numbers,
            parts_are_read_after_a_number,
            concurrent_parts_are_all_stored,
            a_report_that_cannot_be_stored_changes_nothing,
            output_is_deleted_with_its_job,
            a_report_notifies_after_its_commit,
        ],
        pool_probe: [
            a_connection_returns,
            a_connection_returns_after_a_statement_that_fails,
            a_connection_returns_after_a_panic,
            a_connection_returns_from_an_aborted_task,
            a_probe_waits_for_a_connection_like_readers,
        ],
        browsing: [
            pages_can_show_one_kind,
            wake_ups_come_after_the_commit_and_only_for_changed_topics,
        ],
        kinds: [
            a_kind_is_registered_once,
        ],
        model: [
            any_sequence_of_operations_matches_the_model,
        ],
        log: [
            rows_are_numbered_in_the_order_of_their_visibility,
            a_stopped_reader_does_not_block_others,
        ],
        lifecycle: [
            a_store_answers_a_ping,
            writes_before_the_close_are_stored,
        ],
    }
}
