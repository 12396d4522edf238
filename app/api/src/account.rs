//! Accounts and sessions.

use serde::{Deserialize, Serialize};

use crate::TimeMs;
use crate::server_functions::server_functions;

server_functions! {
    /// Server functions for accounts and sessions.
    trait AccountApi;

    /// The account of the session, and whether any account exists yet.
    Session, "session", Arguments:
        fn session() -> SessionInfo;

    /// Opens a session: the response sets its cookie.
    Login, "login", Arguments:
        fn login(name: String, password: String) -> Account;

    /// Ends the session on the server.
    Logout, "logout", Arguments:
        fn logout() -> ();

    /// Fails with [`crate::ErrorCode::Expired`] if the setup link cannot be used any more.
    CheckSetupLink, "setup/check", Arguments:
        fn check_setup_link(token: String) -> ();

    /// Creates an administrator's account with the token of a setup link, and logs in.
    SetUp, "setup", Arguments:
        fn set_up(token: String, name: String, password: String) -> Account;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub account: Option<Account>,
    /// False until the first account is created with the link that the server printed.
    pub has_accounts: bool,
    /// The server's time.
    pub now: TimeMs,
    /// The names of the scripts of the server's client. A page whose script is none of them is outdated.
    #[serde(default)]
    pub scripts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    pub role: Role,
}

text_enum! {
    /// The permissions of an account. Each role includes the roles before it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Role {
        /// Reads.
        Viewer = "viewer",
        /// Retries and cancels jobs.
        Operator = "operator",
        /// Manages accounts, retention and erasure.
        Admin = "admin",
    }
}
