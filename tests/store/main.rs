//! What every store promises, tested on each store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the place says what was wanted")]

mod postgres;
mod sqlite;

/// The promises by topic. Each is a function whose name is the promise.
mod promises {
    pub(crate) mod accepting;
    pub(crate) mod accounts;
    pub(crate) mod admin_actions;
    pub(crate) mod browsing;
    pub(crate) mod claiming;
    pub(crate) mod exporting;
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

use async_trait::async_trait;
use store::{PoolProbe, Store};

/// A database of its own for one test, which goes away with it.
#[async_trait]
pub(crate) trait Database: Send + Sync + 'static {
    /// How many random sequences a promise is held against, each of which costs a database of its own.
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
                an_accepted_job_is_there_after_a_reopening,
                the_same_search_is_accepted_once,
                the_same_search_twice_in_one_commit_is_accepted_once,
                a_search_whose_job_is_gone_is_answered_with_its_log_row,
                concurrent_searches_are_all_accepted,
                a_caller_who_goes_away_disturbs_nobody,
                a_bad_command_fails_alone,
                payloads_and_errors_come_back_exactly,
                a_key_is_unique_within_its_kind,
                jobs_without_a_key_are_all_new,
                a_later_job_is_scheduled_and_the_next_due_is_the_earliest,
            ],
            claiming: [
                the_most_urgent_and_then_the_oldest_come_first,
                a_claim_takes_no_more_than_its_limit,
                no_job_is_handed_out_twice,
                jobs_that_come_during_claims_are_handed_out_once_and_whole,
                scheduled_and_retrying_jobs_are_claimed_once_due,
                a_claimed_job_is_shown_as_running,
                leases_are_prolonged_only_for_who_holds_them,
            ],
            finishing: [
                a_done_job_stays_done,
                a_failed_job_retries_and_is_dead_after_its_last_attempt,
                a_dead_verdict_ends_the_job_at_once,
                a_released_job_waits_again_and_the_attempt_is_not_counted,
                who_no_longer_holds_an_attempt_changes_nothing,
                the_same_end_told_twice_is_stored_once,
                an_expired_lease_is_a_lost_attempt,
                the_last_lost_attempt_makes_the_job_dead,
                orphans_are_requeued_whatever_their_lease_says,
                processes_that_die_again_and_again_do_not_use_a_job_up,
                a_schedule_of_a_wrong_clock_is_pulled_near,
            ],
            admin_actions: [
                a_waiting_job_is_cancelled_at_once,
                a_running_job_is_asked_to_stop,
                a_job_that_was_to_stop_does_not_run_again,
                a_job_that_was_to_stop_but_is_done_stays_done,
                a_dead_job_that_is_retried_gets_one_more_attempt,
                what_has_no_such_state_is_refused,
            ],
            kinds: [
                a_kind_is_introduced_once,
                a_kind_is_known_from_its_first_job_on,
                a_paused_kind_waits_while_the_others_run,
                pausing_twice_is_pausing_once,
                a_limit_counts_what_runs_on_all_workers,
                a_limit_can_be_raised_lowered_and_lifted,
                the_most_urgent_of_all_kinds_come_first_within_their_limits,
                a_limit_holds_whoever_claims_at_the_same_time,
                room_that_is_freed_wakes_who_looks_for_work,
                what_was_decided_for_a_kind_survives_a_reopening,
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
            lifecycle: [
                workers_are_listed_with_what_they_run,
                the_last_sign_of_life_is_the_one_that_counts,
                who_retires_is_gone,
                who_is_silent_is_forgotten_unless_it_holds_a_job,
                the_secret_is_made_once,
                a_store_answers_a_ping,
                a_closed_store_refuses_instead_of_waiting,
                what_was_handed_in_before_the_close_is_written,
            ],
            browsing: [
                pages_go_from_the_newest_down_and_join_seamlessly,
                pages_can_show_one_state,
                pages_can_show_one_kind,
                a_place_counts_those_ahead,
                what_is_not_there_is_none,
                only_what_ended_well_before_is_pruned,
                an_idle_queue_costs_no_wake_up,
                wake_ups_come_after_the_commit_and_only_for_what_was_touched,
            ],
            model: [
                any_sequence_of_verbs_does_what_the_model_does,
            ],
            ledger: [
                a_row_and_the_end_of_its_attempt_are_one,
                a_row_is_written_even_if_its_attempt_was_lost,
                a_job_that_is_done_without_a_row_is_missing,
                a_cancelled_search_stays_cancelled_when_its_job_is_pruned,
                jobs_of_other_kinds_are_not_in_the_ledger,
                the_oldest_waiting_job_is_known,
                it_says_what_counting_says,
            ],
            log: [
                a_search_is_recorded_once,
                the_same_search_twice_in_one_commit_is_recorded_once,
                a_row_comes_back_exactly_whatever_its_characters,
                rows_are_numbered_in_the_order_of_their_visibility,
                spans_go_down_from_the_newest_and_up_from_a_row,
                a_limit_ends_the_rows,
                a_reader_who_stops_blocks_nobody,
                rows_survive_a_reopening,
                a_time_leads_to_the_first_row_from_then_on,
                a_minute_of_disorder_hides_no_row,
                bounds_are_met_by_what_is_there,
                any_times_at_all_lead_to_a_place_where_they_pass,
            ],
            exporting: [
                blocks_hold_every_row_exactly_and_in_order,
                a_block_stays_small_whatever_people_type,
                blocks_end_where_it_is_said,
                rows_that_come_while_blocks_are_read_are_not_among_them,
            ],
            accounts: [
                a_name_is_taken_whatever_its_case,
                a_setup_link_makes_one_account_once,
                a_setup_link_expires_and_is_replaced,
                a_taken_name_leaves_the_link_valid,
                an_account_made_otherwise_ends_the_link,
                a_session_ends_by_idling_by_age_and_by_leaving,
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
