//! The texts of a single run: its page, its figures, its items, and the list of runs.

use crate::lab::ratio::Ratio;
use crate::ui::format::{counted, number};

pub const NO_SUCH_RUN: &str = "There is no such run";
pub const NO_SUCH_RUN_WHY: &str = "The address may be mistyped, or the run may be so old that it was deleted.";
pub const A_RUN: &str = "A run of the lab";
pub const GO_TO_LAB: &str = "Go to the lab";
/// The heading of a run's figures, for screen readers.
pub const WHAT_HAPPENED: &str = "What happened";
pub const PERHAPS_NOT_CANCELLED: &str = "Perhaps not cancelled";
pub const CANCELLING: &str = "Cancelling…";
pub const PROGRESS: &str = "Progress";

pub const WATERFALL: &str = "Each request over time";
pub const NO_BARS_YET: &str = "The bars appear when the run begins.";
pub const REQUESTS: &str = "Requests";
pub const CHOOSE_A_BAR: &str = "Choose a bar to read its figures.";
pub const BY_STATE: &str = "Requests by state";
pub const CANCELLED: &str = "cancelled";

pub const IN_FLIGHT: &str = "Requests in flight";
/// The lines of the chart of many requests.
pub const FLIGHT_LINES: [&str; 3] = ["in flight", "not begun", "ended"];
pub const POOL: &str = "Connections over time";
pub const CONNECTIONS: &str = "Connections";
pub const IN_USE: &str = "in use";
pub const TASKS_WAITING: &str = "Tasks waiting for a connection";
pub const TASKS_WAITING_LINE: &str = "waiting";

pub const FAILURES: &str = "What failed, by kind";
/// The failures of tasks that were told to fail.
pub const ORDERED_FAILURES: &str = "What we made fail";
pub const ORDERED_ERROR: &str = "a statement with a syntax error";
/// When tasks were told to panic or were aborted.
pub const WHILE_HOLDING: &str = "while holding a connection";
pub const FUTURES: &str = "Futures";
pub const FUTURE_COUNTS: [&str; 5] = ["pending", "running", "finished", "cancelled", "called back"];
pub const EACH_FUTURE: &str = "Each future";
pub const ARRIVALS: &str = "Answers, in order of arrival";
pub const NO_ARRIVALS: &str = "Nothing has arrived yet.";
pub const AS_A_TABLE: &str = "All requests as a table";
pub const COLUMNS: [&str; 8] = ["#", "Request", "State", "Started", "Took", "Called back", "Handed over", "Result"];

pub const LATEST_RUNS: &str = "The latest runs";
pub const NO_RUN: &str = "No run yet.";
pub const RUN: &str = "Run";
pub const STATE: &str = "State";
pub const ELAPSED: &str = "Elapsed";
/// When the run was asked for: it may have waited for others.
pub const ASKED: &str = "Asked";

/// The labels of a run's figures.
pub mod tile {
    use super::{Ratio, number};

    pub const DONE: &str = "Done";
    pub const FAILED: &str = "Failed";
    pub const SPEED_UP: &str = "vs. one by one";
    pub const LONGEST_WAIT: &str = "Longest wait";
    pub const LEAKED: &str = "Leaked";
    pub const NOT_GIVEN_BACK: &str = "connections not given back";

    pub fn of_requests(total: u64) -> String {
        format!("of {} requests", number(total))
    }

    pub fn of_tasks(total: u64) -> String {
        format!("of {} tasks", number(total))
    }

    pub fn cancelled(count: u32) -> String {
        format!("{} cancelled", number(count.into()))
    }

    pub fn times(ratio: Ratio) -> String {
        format!("{ratio}×")
    }

    pub fn one_by_one(time: &str) -> String {
        format!("which would take {time}")
    }

    /// Tasks that got no connection: there were too many, or the database was locked.
    pub fn refused(count: u32) -> String {
        format!("{} refused", number(count.into()))
    }

    pub fn most_waited(count: u32) -> String {
        format!("at most {} waited", number(count.into()))
    }
}

/// After a failure that occurred more than once.
pub fn times(count: usize) -> String {
    if count == 1 { String::new() } else { format!(" ({} times)", number(count as u64)) }
}

pub fn other_messages(count: usize) -> String {
    format!("and {}", counted(count, "other message"))
}

pub fn more(count: usize) -> String {
    format!("and {} more", number(count as u64))
}

pub fn failures(count: u32) -> String {
    counted(count as usize, "failure")
}

/// The state of a request, and the parts of the sentence about it.
pub mod item {
    use api::ItemState;

    pub fn state(state: ItemState) -> &'static str {
        match state {
            ItemState::Pending => "not begun",
            state => state.as_str(),
        }
    }

    pub fn waited(time: &str) -> String {
        format!("waited {time}")
    }

    pub fn waited_and_took(waited: &str, took: &str, end: &str) -> String {
        format!("waited {waited}, took {took} ({waited} to {end})")
    }

    pub fn arrival(position: usize) -> String {
        format!("arrival {position}")
    }
}
