//! What the pages of accounts say.

pub const LOG_IN: &str = "Log in";
pub const LOGGING_IN: &str = "Logging in…";
pub const LOG_OUT: &str = "Log out";
pub const NAME: &str = "Name";
pub const PASSWORD: &str = "Password";
pub const SHOW: &str = "Show";
pub const HIDE: &str = "Hide";
/// After "Show" and "Hide", for screen readers.
pub const THE_PASSWORD: &str = " the password";
pub const GO_TO_SEARCH: &str = "Go to the search";
pub const FOR_ADMINISTRATORS: &str =
    "The log, the jobs and the system are for administrators. Searching needs no account.";
pub const ENDED: &str = "You were logged out. Log in again to go on.";
pub const NO_ACCOUNT_YET: &str = "There is no account yet. The server has printed a link that makes the first one; \
                                  `search4letters admin link` prints a new one.";
pub const SET_UP: &str = "Create the first admin";
pub const WHY_SET_UP: &str = "This account can read the log and manage jobs.";
pub const LINK_USED: &str = "This link was used already, or its 30 minutes are over.";
pub const LINK_INCOMPLETE: &str = "This page is opened by a link that the server prints; the link is incomplete.";
pub const GOOD_PASSWORD: &str = "At least 12 characters; a few random words are good.";
pub const MAKE_ACCOUNT: &str = "Make the account";
pub const MAKING_ACCOUNT: &str = "Making the account…";
pub const LOGGED_OUT: &str = "You are logged out";
pub const ENDED_HERE: &str = "The session has ended, here and on the server.";
pub const NOBODY: &str = "No account is logged in in this browser.";
pub const LOG_OUT_QUESTION: &str = "Log out?";
pub const KEYS: &str = "Keyboard shortcuts";
pub const STAY: &str = "Stay logged in";

/// Why somebody who wants to see `path` is asked to log in.
pub fn why_log_in(path: &str) -> &'static str {
    match path.split(['/', '?']).nth(1) {
        Some("viewlog") => "Log in to see the log.",
        Some("jobs") => "Log in to see the jobs.",
        Some("system") => "Log in to see the system.",
        _ => FOR_ADMINISTRATORS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_names_the_page() {
        assert_eq!(why_log_in("/jobs?state=dead"), "Log in to see the jobs.");
        assert_eq!(why_log_in("/lab"), FOR_ADMINISTRATORS);
    }
}
