//! What the system's page says.

use crate::ui::format::number;

pub const HEADING: &str = "System";
pub const UNREADABLE: &str = "The state of the system cannot be read just now. The page tries again by itself.";
pub const PAUSED: &str = "paused";
pub const NOTHING_NEWER: &str = "the server does not know more";
pub const RECONNECTING: &str = "reconnecting";
pub const NO_ANSWER: &str = "the server does not answer";
pub const NOT_CHECKED: &str = "No end-to-end check yet";
pub const LAST_CHECK: &str = "Last end-to-end check: ";
pub const BEGAN: &str = "It began ";
pub const DATABASE_SAID: &str = "What the database said";
pub const UNKNOWN: &str = "–";
pub const UNKNOWN_WITHOUT_DATABASE: &str = "Not known while the database does not answer.";

pub const LEDGER: &str = "Ledger";
pub const ACCEPTED: &str = "accepted";
/// The parts of the ledger, as visitors read them too.
pub const IN_THE_LOG: &str = "in the log";
pub const BEING_WRITTEN: &str = "being written";
pub const STOPPED: &str = "stopped";
pub const LOST: &str = "lost";
pub const SPOOLED: &str = "spooled";
pub const WHERE_ACCEPTED: &str = "Where accepted searches are";
pub const LEDGER_UNKNOWN: &str = "The database does not answer: where the searches are is not known just now.";
pub const NONE_ANYWHERE: &str = "none anywhere";
pub const MISSING: &str = "Searches that are not where they should be";
/// The columns of these.
pub const MISSING_COLUMNS: [&str; 3] = ["Search", "Job", "What is amiss"];
pub const NO_JOB: &str = "none";

pub const WORKERS: &str = "Workers";
pub const WORKER_COLUMNS: [&str; 7] = ["Worker", "Host", "Process", "Version", "Busy", "Started", "Last seen"];
pub const SEEN: &str = "seen ";
pub const BUSY: &str = "Busy";
pub const SILENT: &str = "silent";
pub const NO_WORKER: &str = "Nobody runs jobs.";

pub const QUEUE: &str = "Queue";
pub const WAITING_FOR_A_WORKER: &str = "Waiting for a worker";
pub const RUNNING: &str = "Running";
pub const QUEUE_EMPTY: &str = "Nothing is waiting or running.";
pub const OLDEST_WAITING: &str = "Oldest waiting";
pub const LATER: &str = "Scheduled or retrying";

pub const SPOOL: &str = "Spool";
pub const USED: &str = "Used";
pub const RECORDS: &str = "Records";
pub const OLDEST: &str = "Oldest";
pub const REPLAYED: &str = "Replayed since the start";
pub const SET_ASIDE: &str = "Set aside";
pub const NOT_RECORDED: &str = "Not recorded";
pub const SPOOL_FILLS: &str = "The spool fills up: see that the database answers again before it is full.";
pub const SPOOL_FULL: &str = "The spool is full, or nearly: what does not fit is answered but not recorded.";

pub const POOL: &str = "Database connections";
pub const IN_USE: &str = "In use";
pub const IDLE: &str = "Idle";
pub const WAITING_FOR_ONE: &str = "Waiting for one";
pub const WAITS: &str = "Waits since the start";
pub const LONGEST_WAIT: &str = "Longest wait";
pub const NO_WAIT: &str = "Nothing has waited for one since the start.";

pub const DISK: &str = "Disk";
pub const FREE: &str = "Free";
pub const DATABASE: &str = "Database";
pub const DATA_FOLDER: &str = "Data folder";
pub const DISK_LOW: &str = "Little room is left: free some, or move the data folder to a larger disk.";
pub const DISK_UNKNOWN: &str = "The operating system does not say how much room is left.";

pub const PROCESS: &str = "Process";
pub const VERSION: &str = "search4letters";
pub const SCHEMA: &str = "Schema";
pub const PROCESS_ID: &str = "Process id";
pub const STARTED: &str = "Started";
pub const MEMORY: &str = "Memory";
pub const OPEN_CONNECTIONS: &str = "Open connections";
pub const EVENT_STREAMS: &str = "Event streams";
pub const LOST_LOG_LINES: &str = "Log lines lost";

/// Between facts on one line.
pub const BETWEEN: &str = " · ";

/// `used` is a share of the capacity.
pub fn spool_empty(used: &str) -> String {
    format!("Empty, {used}. Nothing was set aside or lost since it started.")
}

pub fn version(version: &str) -> String {
    format!("{VERSION} {version}")
}

pub fn up(duration: &str) -> String {
    format!("up {duration}")
}

pub fn on_host(host: &str) -> String {
    format!("on {host}")
}

pub fn as_of(when: &str, why: &str) -> String {
    format!("as of {when}; {why}")
}

pub fn took(duration: &str) -> String {
    format!(", {duration}")
}

pub fn share(part: &str, whole: &str) -> String {
    format!("{part} of {whole}")
}

pub fn free(size: &str, percent: u64) -> String {
    format!("{size} ({percent}%)")
}

pub fn slots(busy: u64, slots: u64) -> String {
    format!("{} of {} slots", number(busy), number(slots))
}

pub fn spool_fault(why: &str) -> String {
    format!("The spool cannot be written to: {why}")
}

pub fn not_recorded(searches: u64) -> String {
    let text = "of the searches since the start could be written nowhere. Their results were shown all the same.";
    format!("{} {text}", number(searches))
}

/// `file` has the records; `None` if its name is not known.
pub fn set_aside(file: Option<&str>) -> String {
    let file = file.unwrap_or("a file beside the spool");
    format!("What could not be used was set aside in {file}: look into it, then move it away.")
}

/// The ledger as a sentence, for screen readers.
pub fn ledger(accepted: u64, parts: &str) -> String {
    format!("{} accepted: {parts}", number(accepted))
}

pub fn accounted_for(accepted: u64) -> String {
    match accepted {
        1 => "The one search is accounted for".to_owned(),
        _ => format!("All {} searches accounted for", number(accepted)),
    }
}

/// `drift` is not zero.
pub fn drifted(drift: i64) -> String {
    let count = number(drift.unsigned_abs());
    match drift {
        1 => "Drift 1: one accepted search is nowhere.".to_owned(),
        2.. => format!("Drift {count}: {count} accepted searches are nowhere."),
        // The minus sign is as wide as a digit.
        -1 => "Drift \u{2212}1: one search is in two places.".to_owned(),
        _ => format!("Drift \u{2212}{count}: {count} searches are in two places."),
    }
}

/// What the link to `page` does about the cause beside it.
pub fn next_step(page: &str) -> &'static str {
    match page.rsplit(['=', '#']).next() {
        Some("dead") => "See the dead jobs",
        Some("retrying") => "See the retrying jobs",
        Some("probe") => "See the probes",
        Some("kinds-title") => "See the job types",
        Some("spool-title") => "See the spool",
        Some("ledger-title") => "See the ledger",
        Some("workers-title") => "See the workers",
        Some("queue-title") => "See the queue",
        Some("disk-title") => "See the disk",
        Some("process-title") => "See the process",
        _ => "See the jobs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_what_it_shows() {
        let steps = ["/jobs?state=dead", "/system#disk-title", "/jobs?kind=probe", "/jobs"].map(next_step);
        assert_eq!(steps, ["See the dead jobs", "See the disk", "See the probes", "See the jobs"]);
    }
}
