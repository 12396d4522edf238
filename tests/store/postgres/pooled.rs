//! With a transaction pooler in front: each statement may run on another connection of the server.

use std::sync::Arc;

use async_trait::async_trait;
use store::Store;
use store_postgres::{Access, Options, PostgresStore};
use tests::{PostgresCluster, PostgresPooler};
use tokio::sync::OnceCell;

use crate::database::{Database, tests_of};
use crate::postgres::create_database;

/// Fewer than a store has: so they are handed from one to another all the time.
const SERVER_CONNECTIONS: u32 = 2;

/// A store that reaches its database through a pooler, but for what a pooler cannot do.
struct PooledDatabase {
    store: Arc<dyn Store>,
    database: tests::PostgresDatabase,
}

#[async_trait]
impl Database for PooledDatabase {
    const CASES: u32 = 4;

    async fn create() -> Self {
        let database = create_database().await;
        let store = open(&database).await;
        Self { store, database }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = open(&self.database).await;
    }
}

async fn open(database: &tests::PostgresDatabase) -> Arc<PostgresStore> {
    let url = pooler().await.url(database.name());
    let options = Options { url, listen_url: Some(database.url()), connections: 5 };
    Arc::new(PostgresStore::open(options, Access::Owner).await.unwrap())
}

async fn pooler() -> &'static PostgresPooler {
    static POOLER: OnceCell<PostgresPooler> = OnceCell::const_new();
    POOLER.get_or_init(async || PostgresCluster::shared().await.start_pooler(SERVER_CONNECTIONS).await).await
}

mod promised {
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
            what_was_reported_is_read_back, who_no_longer_holds_the_attempt_reports_nothing,
            a_new_attempt_continues_the_numbers, parts_are_read_from_where_one_was,
            parts_that_are_put_out_at_the_same_time_are_all_there, a_report_that_cannot_be_stored_changes_nothing,
            what_was_put_out_goes_with_its_job, a_report_wakes_those_who_follow_after_its_commit,
        ],
        exercising: [
            a_connection_comes_back, a_connection_comes_back_after_a_statement_that_fails,
            a_connection_comes_back_after_a_panic, a_connection_comes_back_from_who_is_stopped,
            an_exercise_waits_for_a_connection_as_everybody_does,
        ],
        browsing: [pages_can_show_one_kind, wake_ups_come_after_the_commit_and_only_for_what_was_touched],
        introducing: [a_kind_is_introduced_once],
        modelled: [any_sequence_of_verbs_does_what_the_model_does],
        logging: [rows_are_numbered_in_the_order_of_their_visibility, a_reader_who_stops_blocks_nobody],
        whole: [a_store_answers_a_ping, what_was_handed_in_before_the_close_is_written],
    }
}
