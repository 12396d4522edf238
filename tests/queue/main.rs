//! The queue, with a real store of each kind and a clock that stands still until a test moves it.

mod attempts;
mod groups;
mod harness;
mod leases;
mod schedule;
mod store_failures;

/// Makes a test of each named function, on one kind of database.
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

/// Lists the functions that are tests.
macro_rules! all_on {
    ($database:ident) => {
        on! { $database;
            attempts: [
                a_job_is_done_and_its_attempt_remembered,
                a_job_that_stored_its_own_result_only_frees_its_slot,
                a_failed_job_runs_again_after_its_backoff_and_not_before,
                a_job_that_used_up_its_attempts_is_dead_until_it_is_retried,
                a_permanent_failure_is_dead_at_once,
                a_panic_fails_only_its_own_job,
                an_attempt_that_times_out_is_retried,
                a_job_with_a_corrupt_payload_is_dead_with_the_reason,
                the_same_key_is_one_job,
                a_cancelled_job_stops,
                jobs_that_fail_in_every_way_do_not_hinder_others,
                an_idle_worker_stops_immediately,
                a_job_that_ends_within_the_grace_time_is_done,
                a_job_that_does_not_end_in_time_is_released_without_losing_an_attempt,
            ],
            groups: [
                jobs_of_one_claim_run_together,
                no_more_jobs_run_together_than_there_are_slots,
                one_that_fails_or_panics_fails_alone,
                one_that_cannot_be_read_is_dead_alone,
                one_that_hangs_holds_the_others_up_until_its_time_is_over,
                one_that_is_cancelled_lets_the_others_go_on,
                those_that_do_not_end_in_time_are_released_at_a_stop,
            ],
            leases: [
                a_long_job_keeps_its_lease,
                a_lease_is_renewed_in_time_however_long_its_claim_took,
                the_jobs_of_a_dead_worker_are_taken_over_when_its_lease_ends,
                an_idle_worker_takes_over_the_jobs_of_a_dead_one,
                a_worker_whose_clock_is_set_back_still_takes_jobs_over_in_time,
                an_attempt_whose_lease_was_lost_is_stopped_and_its_outcome_refused,
                jobs_of_a_dead_process_run_again_at_the_next_start,
                a_jump_of_the_wall_clock_neither_stalls_nor_doubles_a_job,
            ],
            schedule: [
                a_scheduled_job_waits_for_its_time,
                an_earlier_job_moves_the_alarm_forward,
                jobs_that_come_soon_after_a_claim_are_claimed_together,
                a_clock_that_is_set_back_does_not_prolong_the_debounce,
                a_retry_by_hand_does_not_wait_for_the_backoff,
                as_many_jobs_run_as_there_are_slots,
                jobs_run_by_priority_and_then_in_order,
                hundreds_of_slow_jobs_run_in_parallel,
            ],
            store_failures: [
                outcomes_are_kept_until_the_store_takes_them,
                an_idle_worker_asks_the_store_nothing,
                a_claim_whose_response_is_lost_is_found_by_its_lease,
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
