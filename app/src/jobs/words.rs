//! What the jobs' pages say.

use api::{ApiError, AttemptOutcome, JobId, JobState};

use crate::jobs::detail::Record;
use crate::ui::format::counted;

pub const HEADING: &str = "Jobs";
pub const FILTER: &str = "Filter the jobs";
/// Examples, where the field is empty.
pub const FILTER_HINT: &str = "Filter: text, state:dead, error:~timeout";
pub const NO_MATCH: &str = "No job matches this filter.";
pub const GO_ON: &str = "Go on";
pub const STOP: &str = "Stop";
pub const ALL: &str = "All";
pub const BY_STATE: &str = "Jobs by state";
pub const STALE: &str = "The jobs have changed since this list was read.";
pub const REFRESH: &str = "Refresh";
pub const UP_TO_DATE: &str = "Up to date";
pub const HELD: &str = "held";
pub const HELD_WHY: &str = "The list goes on when the pointer leaves the buttons.";
pub const NO_JOB_YET: &str = "There are no jobs yet: each search makes one.";
pub const NO_OLDER_JOB: &str = "There are no older jobs.";
pub const NOT_STARTED: &str = "Not started yet";
pub const NO_SUCH_JOB: &str = "The address may be mistyped, or the job ended so long ago that it was deleted.";
pub const GO_TO_JOBS: &str = "Go to the jobs";
pub const COPY: &str = "Copy";
pub const PROGRESS: &str = "Progress";
pub const WAITED: &str = "Waited";
pub const RAN: &str = "Ran";
pub const ATTEMPTS: &str = "Attempts";
/// Before the number of a job's attempts, where the list has no heads.
pub const ATTEMPT: &str = "attempt";
pub const WORKER: &str = "Worker";
pub const IN_THE_LOG: &str = "In the log";
/// Stands for what there is none of, or not yet.
pub const NONE: &str = "–";
pub const TIMELINE: &str = "Timeline";
pub const RESULT: &str = "Result";
pub const PAYLOAD: &str = "Payload";
pub const CREATED: &str = "Created";
pub const RUNS_NEXT: &str = "Runs next";
pub const CANCELLED: &str = "Cancelled";
pub const SAME_ERROR: &str = "The same error as before";
pub const NEVER_BEGAN: &str = "never began";

pub const RETRY: &str = "Retry";
pub const CANCEL: &str = "Cancel";
pub const RETRIED: &str = "retried";
pub const DONE_CANCELLED: &str = "cancelled";
pub const ACTIONS: &str = "Actions";
pub const PAGES: &str = "Pages of the list";
pub const SHOW_ALL: &str = "Show all jobs";
/// The columns of the list, before the actions.
pub const COLUMNS: [&str; 5] = ["Job", "About", "State", "Attempt", "Created"];

pub const KINDS: &str = "Job types";
pub const NO_KIND: &str = "There are none yet: the first job of a type makes it known.";
pub const NO_LIMIT: &str = "no limit";
/// After a limit.
pub const AT_A_TIME: &str = "at a time";
pub const PAUSED: &str = "paused";
/// The columns of the job types, before the actions.
pub const KIND_COLUMNS: [&str; 6] = ["Type", "Waiting", "Running", "Scheduled or retrying", "Dead", "Limit"];
pub const PAUSE: &str = "Pause";
pub const RESUME: &str = "Resume";
pub const SET: &str = "Set";
pub const LIMIT_OF_ZERO: &str = "At least 1. To let none begin, pause the job type.";
pub const NO_NUMBER: &str = "A whole number, or nothing for no limit.";

pub fn unknown_state(name: &str) -> String {
    format!("There is no state “{name}”. All jobs are shown.")
}

pub fn unknown_job(name: &str) -> String {
    format!("“{name}” is no job's number. The newest jobs are shown.")
}

/// `what` is shown in a cell, or is the term for it.
pub fn only(what: &str) -> String {
    format!("Only {what}")
}

pub fn scanned(jobs: u64) -> String {
    format!("{} scanned", self::jobs(jobs))
}

/// `action` is a button's text.
pub fn action_on(action: &str, JobId(id): JobId) -> String {
    format!("{action} job {id}")
}

/// What the actions do that a job in this state allows. `attempt` is the number of its last attempt.
pub fn consequence(state: JobState, attempt: u32, record: Record) -> String {
    let until = match record {
        Record::Unwritten => "The search stays out of the log until someone retries it.",
        Record::None | Record::Row(_) => "The job stays cancelled until someone retries it.",
    };
    match state {
        JobState::Running => format!("{CANCEL} stops attempt {attempt}. {until}"),
        JobState::Waiting => format!("{CANCEL} takes it from the queue. {until}"),
        JobState::Scheduled | JobState::Retrying => {
            format!("{RETRY} runs it now. {CANCEL} takes it from the queue. {until}")
        }
        _ if matches!(record, Record::Row(_)) => {
            format!("{RETRY} runs it again. Its row is written and stays as it is.")
        }
        JobState::Done => format!("{RETRY} runs it again."),
        JobState::Dead | JobState::Cancelled => format!("{RETRY} gives it back to the queue."),
    }
}

pub fn number(JobId(id): JobId) -> String {
    format!("#{id}")
}

/// `row` is a row's number.
pub fn row(row: &str) -> String {
    format!("Row {row}")
}

/// In place of the row that a job in this state has not written.
pub fn unwritten(state: JobState) -> &'static str {
    match state {
        JobState::Done => "deleted",
        JobState::Dead | JobState::Cancelled => "no",
        _ => "not yet",
    }
}

/// The number of the last attempt.
pub fn attempt_number(attempts: u32) -> String {
    if attempts == 0 { NONE.to_owned() } else { attempts.to_string() }
}

pub fn at_most(attempts: u32, most: u32) -> String {
    format!("{attempts} of at most {most}. One that is lost with its worker adds one.")
}

pub fn jobs(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "job")
}

pub fn of_at_most(most: u32) -> String {
    format!("of at most {most}")
}

/// Somebody has made the job run again. Without a name it was on the command line.
pub fn retried_by(name: Option<&str>) -> String {
    format!("Retried {}", by(name))
}

/// Somebody has cancelled the job.
pub fn cancelled_by(name: Option<&str>) -> String {
    format!("Cancelled {}", by(name))
}

fn by(name: Option<&str>) -> String {
    name.map_or_else(|| "on the command line".to_owned(), |name| format!("by {name}"))
}

pub fn after(duration: &str) -> String {
    format!("+{duration}")
}

pub fn progress(percent: &str, note: &str) -> String {
    format!("{percent}, {note}")
}

pub fn paused(kind: &str) -> String {
    format!("{kind} {PAUSED}")
}

/// `verb` is a button's text.
pub fn on_kind(verb: &str, kind: &str) -> String {
    format!("{verb} {kind}")
}

pub fn limit_of(kind: &str) -> String {
    format!("Limit of {kind}")
}

/// `limit` is how many jobs of a type run at a time.
pub fn limited_to(limit: &str) -> String {
    format!("{limit} {AT_A_TIME}")
}

pub fn set_limit_of(kind: &str) -> String {
    format!("Set the limit of {kind}")
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
    format!("Job #{id} cancelled.")
}

/// `done` says what was asked for: `retried`.
pub fn not_done(JobId(id): JobId, done: &str, error: &ApiError) -> String {
    match error.is_outcome_unknown() {
        true => format!("It is not known whether job #{id} was {done}. {}", error.message),
        false => format!("Job #{id} was not {done}. {}", error.message),
    }
}

/// What the attempts from `first` to `last` came to.
pub fn attempts(first: u32, last: u32, outcome: AttemptOutcome) -> String {
    let is_one = first == last;
    let came_to = match outcome {
        AttemptOutcome::Running if is_one => "is running",
        AttemptOutcome::Running => "are running",
        AttemptOutcome::Done => "done",
        AttemptOutcome::Failed => "failed, will retry",
        AttemptOutcome::Dead => "failed for good",
        AttemptOutcome::Cancelled => "cancelled",
        AttemptOutcome::Lost if is_one => "was lost with its worker",
        AttemptOutcome::Lost => "were lost with their workers",
        AttemptOutcome::Released if is_one => "was given back unfinished",
        AttemptOutcome::Released => "were given back unfinished",
    };
    if is_one { format!("Attempt {first} {came_to}") } else { format!("Attempts {first} to {last} {came_to}") }
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

/// What the jobs of a type do, if the type is one of the product's own.
pub fn about_kind(kind: &str) -> Option<&'static str> {
    match kind {
        "log_request" => Some("writes searches to the log"),
        "probe" => Some("checks the way from end to end"),
        "lab_run" => Some("runs the waiting lab"),
        _ => None,
    }
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
