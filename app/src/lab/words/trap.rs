//! The texts of the trap: its lanes, and what they show.

use api::Lane;

use super::brief;

/// Its title, and what is done in it.
pub fn lane(lane: Lane) -> [&'static str; 2] {
    match lane {
        Lane::Awaited => ["Awaited", "The answer waits until the row is written."],
        Lane::BareTask => ["Bare task", "A task of the process writes the row; the answer leaves at once."],
        Lane::Job => ["Durable job", "The write becomes a job on disk; the answer leaves once it is there."],
    }
}

pub const VISITOR: &str = "visitor waits";
pub const UNWRITTEN: &str = "row not written yet";
pub const KILLED: &str = "killed";
pub const ANSWERED: &str = "answered";
pub const TITLE: &str = "The same search, three times";
pub const STEPS: &str = "All steps as a table";
pub const COLUMNS: [&str; 3] = ["Search", "Step", "At"];
pub const ROW_WRITTEN: &str = "row written";
pub const LOST: &str = "row lost";
/// Why the durable answer takes longer than that of the bare task.
pub const ONCE_ON_DISK: &str = "answered once its job was on disk";

/// What to expect, before the first run.
pub const SKETCH: &str = "If the write is awaited, the visitor waits for all of it. A bare task lets the visitor go at \
                          once, and the row dies with the process. A durable job lets the visitor go once it is on disk, \
                          and the next process writes the row.";

/// Beside a mark.
pub fn at(what: &str, us: u64) -> String {
    format!("{what} {}", brief(us))
}

pub const ROW_LOST: &str = "Row lost";
pub const PENDING: &str = "…";

pub fn wait(us: u64) -> String {
    format!("{} wait", brief(us))
}

pub fn survived(us: u64) -> String {
    format!("{}, row survived", brief(us))
}

pub fn written(us: u64) -> String {
    format!("{}, row written", brief(us))
}

pub fn answered(us: u64) -> String {
    format!("answered in {}", brief(us))
}

pub const VISITOR_STILL_WAITS: &str = "the visitor waits for the answer";
pub const NOT_SENT: &str = "not sent yet";
pub const ROW_PENDING: &str = "its row is not in the log yet";
pub const ROW_THERE: &str = "its row is in the log";

pub fn shows_awaited(us: u64) -> String {
    format!("Awaiting the write cost the visitor {}.", brief(us))
}

pub fn shows_lost(us: u64) -> String {
    format!("The bare task answered in {}, and the kill took the row with it.", brief(us))
}

pub fn shows_survived(us: u64) -> String {
    format!("The durable job answered in {}, and the next process wrote its row.", brief(us))
}

pub fn shows_unexpected(lane: &str, us: u64, row: &str) -> String {
    format!("{lane}: answered in {}, {row}.", brief(us))
}

pub const ROW_ARRIVED_ANYWAY: &str = "and its row arrived although the process was killed";
pub const ROW_MISSING: &str = "and its row is missing: that must not happen";
