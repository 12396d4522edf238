//! The queue, with a real store of each kind and a clock that stands still until a test moves it.

mod attempts;
mod harness;
mod leases;
mod schedule;
mod store_failures;

/// Makes a test of each function that is named, on one kind of database.
macro_rules! on {
    ($database:ident; $($chapter:ident: [$($test:ident),* $(,)?],)*) => {
        $(mod $chapter {
            $(#[tokio::test]
            async fn $test() {
                crate::$chapter::$test(crate::harness::DatabaseUnderTest::$database).await;
            })*
        })*
    };
}

/// All of the functions that are tests.
macro_rules! all_on {
    ($database:ident) => {
        on! { $database;
            attempts: [
                a_job_is_done_and_its_attempt_remembered,
                who_has_stored_its_end_itself_frees_its_slot_and_no_more,
                a_failed_job_runs_again_after_its_backoff_and_not_before,
                a_job_that_used_up_its_attempts_is_dead_until_it_is_retried,
                what_fails_for_good_is_dead_at_once,
                a_panic_is_a_failure_that_hinders_nobody_else,
                an_attempt_that_takes_too_long_is_given_up_and_tried_again,
                a_payload_that_cannot_be_read_is_dead_with_the_reason,
                the_same_key_is_one_job,
                a_cancelled_job_stops_where_it_is,
                jobs_that_fail_in_every_way_hinder_none_of_the_many_beside_them,
                an_idle_worker_stops_at_once,
                a_job_that_ends_within_the_grace_time_is_done,
                a_job_that_does_not_is_handed_back_without_costing_it_an_attempt,
            ],
            leases: [
                a_long_job_keeps_its_lease,
                a_lease_is_renewed_in_time_however_long_its_claim_took,
                the_jobs_of_a_worker_that_is_gone_are_taken_over_when_its_lease_ends,
                an_idle_worker_takes_over_the_jobs_of_one_that_is_gone,
                a_worker_whose_clock_is_set_back_does_not_wait_until_it_has_caught_up,
                an_attempt_whose_lease_was_lost_is_stopped_and_its_outcome_refused,
                what_a_dead_process_left_runs_again_at_the_next_start,
                a_jump_of_the_wall_clock_neither_stalls_nor_doubles_a_job,
            ],
            schedule: [
                a_scheduled_job_waits_for_its_time,
                an_earlier_job_moves_the_alarm_forward,
                what_comes_soon_after_a_claim_gathers_and_is_claimed_together,
                a_clock_that_is_set_back_makes_no_job_gather_for_longer,
                a_retry_by_hand_does_not_wait_for_the_backoff,
                no_more_jobs_run_than_there_are_slots_and_every_free_slot_is_used,
                urgent_jobs_go_first_and_equals_in_their_order,
                hundreds_of_slow_jobs_wait_side_by_side,
            ],
            store_failures: [
                outcomes_are_kept_until_the_store_takes_them,
                an_idle_queue_is_not_asked_anything,
                a_claim_whose_answer_is_lost_is_found_by_its_lease_though_nothing_else_happens,
            ],
        }
    };
}

mod on_sqlite {
    all_on!(Sqlite);
}

mod on_postgres {
    all_on!(Postgres);
}
