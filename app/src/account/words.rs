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
pub const NO_ACCOUNT_YET: &str = "There is no account yet. The server has printed a link that creates the first one; \
                                  `search4letters admin link` prints a new one.";
pub const SET_UP: &str = "Create the first admin";
pub const WHY_SET_UP: &str =
    "You opened the setup link that the server printed. This account can read the log and manage jobs.";
pub const LINK_USED: &str = "This link was used already, or its 30 minutes are over.";
pub const LINK_INCOMPLETE: &str = "This page is opened by a link that the server prints, and the link is incomplete.";
/// How to get another link, around the command.
pub const NEW_LINK: [&str; 2] = ["On the server's machine, ", " prints a new one."];
pub const NEW_LINK_COMMAND: &str = "search4letters admin link";
pub const GOOD_PASSWORD: &str = "At least 12 characters. Four random words work well.";
pub const CREATE_ACCOUNT: &str = "Create admin";
pub const CREATING_ACCOUNT: &str = "Creating the account…";
pub const LOGGED_OUT: &str = "You are logged out";
pub const ENDED_HERE: &str = "The session has ended, here and on the server.";
pub const NOBODY: &str = "No account is logged in in this browser.";
pub const LOG_OUT_QUESTION: &str = "Log out?";
/// Around the account's name.
pub const LOGGED_IN_AS: [&str; 2] = ["You are logged in as ", ". Logging out ends the session in this browser only."];
pub const KEYS: &str = "Keyboard shortcuts";
pub const STAY: &str = "Stay logged in";

pub fn account_of(name: &str) -> String {
    format!("Account of {name}")
}

/// The server has accepted a login that the browser then forgot.
pub fn cookie_refused(name: &str) -> String {
    format!(
        "The server accepts {name}, but the browser does not keep the session's cookie. Allow cookies for this site, and \
         log in again."
    )
}

pub fn not_logged_out(error: &str) -> String {
    format!("You may still be logged in. {error}")
}

/// The error of an account that was perhaps created.
pub fn perhaps_created(error: &str) -> String {
    format!("It is not known whether the account was created. {error}")
}

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
