//! Accounts and sessions.

use serde::{Deserialize, Serialize};

use crate::server_functions::server_functions;

server_functions! {
    /// What visitors ask about accounts and sessions.
    trait AccountApi;

    /// The account of the session, and whether any account exists yet.
    Session, "session", Arguments:
        fn session() -> SessionInfo;

    /// Opens a session: the answer sets its cookie.
    Login, "login", Arguments:
        fn login(name: String, password: String) -> Account;

    /// Ends the session, on the server too.
    Logout, "logout", Arguments:
        fn logout() -> ();

    /// Makes an administrator's account with a one-use link's token, and logs in.
    SetUp, "setup", Arguments:
        fn set_up(token: String, name: String, password: String) -> Account;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub account: Option<Account>,
    /// False until the first account is made with the link that the server printed.
    pub has_accounts: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    pub role: Role,
}

text_enum! {
    /// What an account may do. Each role may also do what the roles before it may.
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
