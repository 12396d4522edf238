//! The texts of a single run: its page, its figures, its items, and the list of runs.

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

pub const WATERFALL: &str = "Waterfall";
pub const NO_BARS_YET: &str = "The bars appear when the run begins.";
pub const REQUESTS: &str = "Requests";
pub const REQUEST: &str = "Request";
pub const POINT_AT_A_BAR: &str = "Point at a bar, or move the slider, for its figures.";
pub const BY_STATE: &str = "Requests by state";
pub const WAITING: &str = "waiting";
pub const CANCELLED: &str = "cancelled";

pub const IN_FLIGHT: &str = "Requests in flight";
/// The lines of the chart of many requests.
pub const FLIGHT_LINES: [&str; 3] = ["in flight", "not begun", "ended"];
pub const POOL: &str = "Connections over time";
pub const CONNECTIONS: &str = "Connections";
pub const CONNECTION_LINES: [&str; 2] = ["in use", "idle"];
pub const TASKS_WAITING: &str = "Tasks waiting for a connection";
pub const TASKS_WAITING_LINE: &str = "waiting";

pub const FAILURES: &str = "What failed, by kind";
pub const FUTURES: &str = "Futures";
pub const FUTURE_COUNTS: [&str; 5] = ["pending", "running", "finished", "cancelled", "called back"];
pub const EACH_FUTURE: &str = "Each future";
pub const ARRIVALS: &str = "Arrivals, in order";
pub const NO_ARRIVALS: &str = "Nothing has arrived yet.";
pub const AS_A_TABLE: &str = "All requests as a table";
pub const COLUMNS: [&str; 8] = ["#", "Request", "State", "Started", "Took", "Called back", "Handed over", "Result"];

pub const LATEST_RUNS: &str = "The latest runs";
pub const NO_RUN: &str = "No run yet.";
pub const RUN: &str = "Run";
pub const STATE: &str = "State";
pub const ELAPSED: &str = "Elapsed";
pub const VS_ONE_BY_ONE: &str = "vs. one by one";
pub const VS_ONE_BY_ONE_WHY: &str = "Compared with its own requests one by one";
pub const VS_SLOWEST: &str = "vs. slowest";
pub const VS_SLOWEST_WHY: &str = "Compared with the slowest run of the same work";
pub const STARTED: &str = "Started";

/// The labels of a run's figures.
pub mod tile {
    use super::number;

    pub const DONE: &str = "Done";
    pub const FAILED: &str = "Failed";
    pub const SPEED_UP: &str = "vs. one by one";
    pub const MOST_IN_USE: &str = "Most in use";
    pub const LONGEST_WAIT: &str = "Longest wait";
    pub const LEAKED: &str = "Leaked";
    pub const NOT_GIVEN_BACK: &str = "connections not given back";
    pub const REFUSED: &str = "Refused";
    pub const REFUSED_WHY: &str = "too many connections, or locked";

    pub fn of_requests(total: u64) -> String {
        format!("of {} requests", number(total))
    }

    pub fn of_tasks(total: u64) -> String {
        format!("of {} tasks", number(total))
    }

    pub fn of_connections(most: u32) -> String {
        format!("of {} connections", number(most.into()))
    }

    pub fn cancelled(count: u32) -> String {
        format!("{} cancelled", number(count.into()))
    }

    pub fn added_up(waiting: &str) -> String {
        format!("their waits add up to {waiting}")
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

/// The parts of the sentence about one request.
pub mod item {
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
