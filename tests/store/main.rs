//! What every store promises, tested on each store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the line says what was expected")]

mod postgres;
mod sqlite;

/// The promises by topic. Each is a function whose name is the promise.
mod promises {
    pub(crate) mod accepting;
    pub(crate) mod accounts;
    pub(crate) mod admin_actions;
    pub(crate) mod audit;
    pub(crate) mod browsing;
    pub(crate) mod claiming;
    pub(crate) mod exporting;
    pub(crate) mod filtering;
    pub(crate) mod finishing;
    pub(crate) mod kinds;
    pub(crate) mod ledger;
    pub(crate) mod lifecycle;
    pub(crate) mod log;
    pub(crate) mod model;
    pub(crate) mod pool_probe;
    pub(crate) mod reporting;
}

use std::sync::Arc;

use api::{AttemptOutcome, JobId};
use async_trait::async_trait;
use store::{AttemptResult, Enqueued, NewJob, PoolProbe, Store};
use tests::builders::{START, claim, finished, job, signed};

/// Adds a job that is not there yet.
pub(crate) async fn enqueue(store: &dyn Store, job: NewJob) -> JobId {
    match store.enqueue(job).await.unwrap() {
        Enqueued::New(id) => id,
        Enqueued::Exists(id) => panic!("{id:?} is there already"),
    }
}

/// In a database of a version in which each attempt had a row, the attempts are shown, and kept when their job runs again.
///
/// `open` opens the database. `roll_back` gives it, while it is closed, the schema and the rows of that version.
pub(crate) async fn attempts_that_had_a_row_are_shown_and_kept<S: Store>(
    open: impl AsyncFn() -> S,
    roll_back: impl AsyncFn(),
) {
    let done = async |store: &S, name| {
        let claimed = store.claim(claim(name, 1, START)).await.unwrap().pop().expect("a job waits");
        let ended = finished(&claimed, name, AttemptResult::Done, START);
        assert_eq!(store.finish(vec![ended]).await.unwrap(), 1);
        claimed.id
    };
    let attempts = async |store: &S, id| {
        let attempts = store.attempts(id).await.unwrap().into_iter();
        attempts.map(|attempt| (attempt.number, attempt.worker, attempt.outcome)).collect::<Vec<_>>()
    };
    let store = open().await;
    store.enqueue(job("a")).await.unwrap();
    let id = done(&store, "before").await;
    store.close().await;
    roll_back().await;

    let store = open().await;
    let mut expected = vec![(1, "before".to_owned(), AttemptOutcome::Done)];
    assert_eq!(attempts(&store, id).await, expected);
    assert!(store.retry_job(id, START, &signed()).await.unwrap());
    assert_eq!(attempts(&store, id).await, expected);
    assert_eq!(done(&store, "after").await, id);
    expected.push((2, "after".to_owned(), AttemptOutcome::Done));
    assert_eq!(attempts(&store, id).await, expected);
    store.close().await;
}

/// A database for one test, which is removed with it.
#[async_trait]
pub(crate) trait Database: Send + Sync + 'static {
    /// The number of random sequences in a property test. Each needs a database.
    const CASES: u32;

    async fn create() -> Self;

    fn store(&self) -> Arc<dyn Store>;

    /// The same store, for dummy uses of its connections.
    fn pool_probe(&self) -> Arc<dyn PoolProbe>;

    /// Closes the store and opens the same database again.
    async fn reopen(&mut self);
}

/// Makes a test of every promise, for one kind of database.
macro_rules! test_every_promise {
    ($database:ty) => {
        $crate::tests_of! { $database;
            accepting: [
                an_accepted_job_survives_a_reopening,
                the_same_search_is_accepted_once,
                the_same_search_twice_in_one_commit_is_accepted_once,
                a_search_whose_job_was_pruned_returns_its_log_row,
                concurrent_searches_are_all_accepted,
                a_cancelled_call_does_not_disturb_others,
                a_bad_command_fails_alone,
                payloads_and_errors_are_read_back_exactly,
                a_key_is_unique_within_its_kind,
                jobs_without_a_key_are_all_new,
                a_later_job_is_scheduled_and_the_next_due_is_the_earliest,
            ],
            claiming: [
                the_most_urgent_and_then_the_oldest_come_first,
                a_claim_takes_no_more_than_its_limit,
                no_job_is_claimed_twice,
                jobs_that_arrive_during_claims_are_claimed_once_and_complete,
                scheduled_and_retrying_jobs_are_claimed_once_due,
                a_claimed_job_is_shown_as_running,
                leases_are_renewed_only_for_their_holder,
            ],
            finishing: [
                a_done_job_stays_done,
                first_attempts_that_succeed_together_end_each_at_its_own_time,
                attempts_that_are_recorded_by_one_call_end_as_by_many,
                attempts_of_any_other_kind_end_among_first_ones,
                a_lost_attempt_among_first_ones_changes_nothing,
                a_failed_job_retries_and_is_dead_after_its_last_attempt,
                a_dead_verdict_ends_the_job_at_once,
                a_released_job_waits_again_and_the_attempt_is_not_counted,
                a_worker_that_lost_an_attempt_changes_nothing,
                a_result_reported_twice_is_stored_once,
                an_expired_lease_is_a_lost_attempt,
                the_last_lost_attempt_makes_the_job_dead,
                jobs_of_a_dead_process_are_rescued_before_their_lease_ends,
                dying_processes_do_not_use_up_the_attempts_of_a_job,
                a_schedule_of_a_wrong_clock_is_limited,
            ],
            admin_actions: [
                a_waiting_job_is_cancelled_at_once,
                a_running_job_is_marked_for_cancellation,
                a_job_marked_for_cancellation_does_not_run_again,
                a_job_marked_for_cancellation_that_is_done_stays_done,
                a_dead_job_that_is_retried_gets_one_more_attempt,
                a_done_job_that_is_retried_keeps_the_attempt_that_has_done_it,
                actions_in_the_wrong_state_are_refused,
            ],
            kinds: [
                a_kind_is_registered_once,
                a_kind_is_known_since_its_first_job,
                a_paused_kind_waits_while_others_run,
                pausing_twice_is_pausing_once,
                a_limit_counts_the_running_jobs_of_all_workers,
                a_limit_can_be_raised_lowered_and_lifted,
                the_most_urgent_of_all_kinds_come_first_within_their_limits,
                a_limit_holds_for_concurrent_claims,
                free_slots_of_a_limited_kind_notify_workers,
                the_settings_of_a_kind_survive_a_reopening,
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
            lifecycle: [
                workers_are_listed_with_what_they_run,
                the_last_heartbeat_counts,
                a_retired_worker_is_removed,
                a_silent_worker_is_removed_unless_it_holds_a_job,
                the_secret_is_created_once,
                a_database_has_its_own_identity,
                a_store_answers_a_ping,
                a_closed_store_refuses_instead_of_waiting,
                writes_before_the_close_are_stored,
            ],
            browsing: [
                pages_go_from_the_newest_job_down_without_gaps,
                pages_can_show_one_state,
                pages_can_show_one_kind,
                a_position_counts_the_jobs_ahead,
                missing_jobs_are_none,
                only_jobs_that_ended_well_are_pruned,
                an_idle_queue_sends_no_wake_up,
                wake_ups_come_after_the_commit_and_only_for_changed_topics,
            ],
            filtering: [
                a_scan_finds_what_the_filter_matches,
                the_last_worker_of_a_job_is_known,
            ],
            model: [
                any_sequence_of_operations_matches_the_model,
            ],
            ledger: [
                a_row_and_the_end_of_its_attempt_are_one_transaction,
                a_row_is_written_even_if_its_attempt_was_lost,
                a_job_that_is_done_without_a_row_is_missing,
                a_cancelled_search_stays_cancelled_when_its_job_is_pruned,
                a_recorded_search_stays_recorded_whatever_happens_to_its_job,
                jobs_of_other_kinds_are_not_in_the_ledger,
                the_oldest_waiting_job_is_known,
                the_oldest_retrying_search_is_known_with_its_error,
                the_ledger_equals_a_count,
            ],
            log: [
                a_search_is_recorded_once,
                the_same_search_twice_in_one_commit_is_recorded_once,
                a_row_with_any_characters_is_read_back_exactly,
                rows_are_numbered_in_the_order_of_their_visibility,
                spans_go_down_from_the_newest_row_and_up_from_a_row,
                a_limit_ends_the_rows,
                a_stopped_reader_does_not_block_others,
                rows_survive_a_reopening,
                a_time_leads_to_the_first_later_row,
                a_minute_of_disorder_hides_no_row,
                bounds_select_existing_rows,
                random_times_lead_to_the_right_row,
            ],
            exporting: [
                blocks_hold_every_row_exactly_and_in_order,
                a_block_stays_small_with_long_phrases,
                blocks_end_at_the_given_row,
                rows_that_arrive_during_an_export_are_not_in_it,
            ],
            audit: [
                each_command_leaves_an_entry,
                what_changes_nothing_leaves_no_entry,
                an_entry_says_from_where_and_when,
                entries_outlive_their_job,
                pages_follow_each_other_without_gaps,
            ],
            accounts: [
                names_are_unique_without_regard_to_case,
                a_setup_link_makes_one_account_once,
                a_setup_link_expires_and_is_replaced,
                a_taken_name_leaves_the_link_valid,
                creating_an_account_invalidates_the_link,
                a_session_ends_by_idling_by_age_and_by_logout,
                a_session_needs_an_account,
                ended_sessions_and_links_are_pruned,
            ],
        }
    };
}

macro_rules! tests_of {
    ($database:ty; $($chapter:ident: [$($promise:ident),* $(,)?],)*) => {
        $(mod $chapter {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let database = <$database as $crate::Database>::create().await;
                $crate::promises::$chapter::$promise(database).await;
            })*
        })*
    };
}

pub(crate) use {test_every_promise, tests_of};
