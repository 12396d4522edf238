//! What the jobs' pages say.

use api::{ApiError, AttemptOutcome, JobId, JobState};

use crate::ui::format::counted;

pub const HEADING: &str = "Jobs";
pub const ALL: &str = "all";
pub const BY_STATE: &str = "Jobs by state";
pub const STALE: &str = "The jobs have changed since this list was read.";
pub const REFRESH: &str = "Refresh";
pub const NEWEST: &str = "Newest";
pub const OLDER: &str = "Older";
pub const HELD: &str = "held";
pub const HELD_WHY: &str = "The list goes on when the pointer leaves the buttons.";
pub const NO_JOB_YET: &str = "There are no jobs yet: each search makes one.";
pub const NO_OLDER_JOB: &str = "There are no older jobs.";
pub const NOT_STARTED: &str = "Not started yet";
pub const ROW_IS_WRITTEN: &str = " The row is already written: a retry changes nothing.";
pub const NO_SUCH_JOB: &str = "The address may be mistyped, or the job ended so long ago that it was deleted.";
pub const GO_TO_JOBS: &str = "Go to the jobs";
pub const TIMELINE: &str = "Timeline";
pub const RESULT: &str = "Result";
pub const PAYLOAD: &str = "Payload";
pub const CREATED: &str = "Created";
pub const RUNS_NEXT: &str = "Runs next";
pub const CANCELLED: &str = "Cancelled";
pub const SAME_ERROR: &str = "The same error as before";
pub const NEVER_BEGAN: &str = "never began";

pub const KINDS: &str = "Job types";
pub const NO_KIND: &str = "There are none yet: the first job of a kind makes it known.";
pub const NO_LIMIT: &str = "no limit";
pub const PAUSED: &str = "paused";

pub fn unknown_state(name: &str) -> String {
    format!("There is no state “{name}”. All jobs are shown.")
}

pub fn unknown_job(name: &str) -> String {
    format!("“{name}” is no job's number. The newest jobs are shown.")
}

pub fn none_in(state: JobState) -> String {
    format!("No job is {} now.", state.as_str())
}

pub fn no_older_in(state: JobState) -> String {
    format!("No older job is {}.", state.as_str())
}

pub fn job(JobId(id): JobId) -> String {
    format!("Job #{id}")
}

pub fn no_such_job(JobId(id): JobId) -> String {
    format!("There is no such job: #{id}")
}

pub fn retried(JobId(id): JobId) -> String {
    format!("Job #{id} waits for a worker again.")
}

pub fn cancelled(JobId(id): JobId) -> String {
    format!("Job #{id} was cancelled.")
}

/// `done` says what was asked for: `retried`.
pub fn not_done(JobId(id): JobId, done: &str, error: &ApiError) -> String {
    match error.is_outcome_unknown() {
        true => format!("It is not known whether job #{id} was {done}. {}", error.message),
        false => format!("Job #{id} was not {done}. {}", error.message),
    }
}

/// What an attempt came to, after `Attempt 2`.
pub fn outcome(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Running => "is running",
        AttemptOutcome::Done => "done",
        AttemptOutcome::Failed => "failed, will retry",
        AttemptOutcome::Dead => "failed for good",
        AttemptOutcome::Cancelled => "cancelled",
        AttemptOutcome::Lost => "was lost with its worker",
        AttemptOutcome::Released => "was given back unfinished",
    }
}

pub fn attempt(number: u32, outcome: &str) -> String {
    format!("Attempt {number} {outcome}")
}

pub fn attempts(first: u32, last: u32, outcome: &str) -> String {
    format!("Attempts {first} to {last} {outcome}")
}

pub fn by_worker(worker: &str, took: &str) -> String {
    format!("by {worker}, took {took}")
}

pub fn on_worker(worker: &str, since: &str) -> String {
    format!("by {worker}, for {since} so far")
}

pub fn times(count: usize) -> String {
    counted(count, "time")
}

pub fn types(count: usize) -> String {
    counted(count, "type")
}

pub fn kind_paused(kind: &str) -> String {
    format!("{kind} is paused. Its running jobs continue.")
}

pub fn kind_resumed(kind: &str) -> String {
    format!("{kind} runs again.")
}

pub fn kind_limited(kind: &str, limit: Option<u32>) -> String {
    match limit {
        Some(limit) => format!("{kind} runs at most {} at a time.", counted(limit as usize, "job")),
        None => format!("{kind} has no limit any more."),
    }
}

pub fn kind_not_changed(kind: &str, error: &ApiError) -> String {
    match error.is_outcome_unknown() {
        true => format!("It is not known whether {kind} was changed. {}", error.message),
        false => format!("{kind} was not changed. {}", error.message),
    }
}
