//! Accounts and sessions.

use leptos::server;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::json::{Answer, Arguments};

/// Who is asking, and whether there is any account yet.
#[server(name = Session, prefix = "/api", endpoint = "session", input = Arguments, output = Answer)]
pub async fn session() -> Result<SessionInfo, ApiError> {
    crate::backend()?.session().await
}

/// Opens a session: the answer sets its cookie.
#[server(name = Login, prefix = "/api", endpoint = "login", input = Arguments, output = Answer)]
pub async fn login(name: String, password: String) -> Result<Account, ApiError> {
    crate::backend()?.login(name, password).await
}

/// Ends the session, on the server too.
#[server(name = Logout, prefix = "/api", endpoint = "logout", input = Arguments, output = Answer)]
pub async fn logout() -> Result<(), ApiError> {
    crate::backend()?.logout().await
}

/// Makes an administrator's account with a one-use link's token, and logs in.
#[server(name = SetUp, prefix = "/api", endpoint = "setup", input = Arguments, output = Answer)]
pub async fn set_up(token: String, name: String, password: String) -> Result<Account, ApiError> {
    crate::backend()?.set_up(token, name, password).await
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
