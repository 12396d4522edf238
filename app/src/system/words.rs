//! What the system's page says, apart from its facts (`overview.rs`).

pub const ACCEPTED: &str = "accepted";
pub const WHERE_ACCEPTED: &str = "Where accepted searches are";
pub const LEDGER_UNKNOWN: &str = "The database does not answer: where the searches are is not known just now.";
pub const UNKNOWN_WITHOUT_DATABASE: &str = "Not known while the database does not answer.";
pub const NO_WORKER: &str = "Nobody runs jobs.";

/// How many parts of the ledger have no searches.
pub fn empty(count: usize) -> String {
    format!("{count} empty")
}

/// What the link to `page` does about the cause beside it.
pub fn next_step(page: &str) -> &'static str {
    match page.rsplit(['=', '#']).next() {
        Some("dead") => "See the dead jobs",
        Some("retrying") => "See the retrying jobs",
        Some("spool-title") => "See the spool",
        Some("ledger-title") => "See the ledger",
        Some("workers-title") => "See the workers",
        Some("queue-title") => "See the queue",
        Some("disk-title") => "See the disk",
        _ => "See the jobs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_what_it_shows() {
        let steps = ["/jobs?state=dead", "/system#disk-title", "/jobs"].map(next_step);
        assert_eq!(steps, ["See the dead jobs", "See the disk", "See the jobs"]);
    }
}
