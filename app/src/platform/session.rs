//! The session as this page knows it: who is logged in, and whether the server has a newer client than this one.

use api::{Account, ApiError, ErrorCode, SessionInfo};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::platform::fetch;
use crate::platform::time::{self, Clock};

/// An answer that took longer does not say what time it is now.
const PROMPT_MS: i64 = 3_000;

#[derive(Clone, Copy)]
pub struct Session {
    state: RwSignal<SessionState>,
    /// Whether the server was updated since this document was loaded.
    pub is_outdated: RwSignal<bool>,
    has_ended: StoredValue<bool>,
    clock: Clock,
    /// How often somebody has logged in or out here. An answer that was asked for before knows nothing of it.
    changes: StoredValue<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// The server has not answered yet.
    Unknown,
    Known(KnownSession),
    /// The server could not answer.
    Failed(ApiError),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSession {
    pub account: Option<Account>,
    pub has_accounts: bool,
}

impl Session {
    pub fn load(clock: Clock) -> Self {
        let session = Self {
            state: RwSignal::new(SessionState::Unknown),
            is_outdated: RwSignal::new(false),
            has_ended: StoredValue::new(false),
            clock,
            changes: StoredValue::new(0),
        };
        session.refresh();
        session
    }

    pub fn state(self) -> SessionState {
        self.state.get()
    }

    pub fn account(self) -> Option<Account> {
        self.state.with(|state| match state {
            SessionState::Known(info) => info.account.clone(),
            SessionState::Unknown | SessionState::Failed(_) => None,
        })
    }

    /// Whether the last account that this document has seen logged in is so no more.
    pub fn has_ended(self) -> bool {
        self.has_ended.get_value()
    }

    /// Reads the session again, for example after the server has refused a stream.
    pub fn refresh(self) {
        let (changes, asked_at) = (self.changes.get_value(), time::browser_now());
        spawn_local(async move {
            let answer = api::session().await;
            if self.changes.get_value() != changes {
                return;
            }
            match answer {
                Ok(SessionInfo { account, has_accounts, now, scripts }) => {
                    if time::browser_now().since(asked_at) < PROMPT_MS {
                        self.clock.hear(now);
                    }
                    self.is_outdated.set(is_outdated(&scripts));
                    self.set(KnownSession { account, has_accounts });
                }
                // A failed request must not log out an account that is known to be logged in.
                Err(error) => {
                    if !self.state.with_untracked(|state| matches!(state, SessionState::Known(_))) {
                        self.state.set(SessionState::Failed(error));
                    }
                }
            }
        });
    }

    pub fn logged_in(self, account: Account) {
        self.changes.update_value(|changes| *changes += 1);
        self.set(KnownSession { account: Some(account), has_accounts: true });
    }

    pub fn logged_out(self) {
        self.changes.update_value(|changes| *changes += 1);
        self.set(KnownSession { account: None, has_accounts: true });
    }

    /// Ends the session if a request failed because the server has none.
    pub fn end_if_signed_out(self, error: &ApiError) {
        if error.code == ErrorCode::SignedOut {
            self.logged_out();
        }
    }

    fn set(self, session: KnownSession) {
        let known = untrack(|| self.account());
        if session.account.is_some() && session.account != known {
            fetch::logged_in();
        }
        self.has_ended.set_value(session.account.is_none() && (known.is_some() || self.has_ended()));
        let state = SessionState::Known(session);
        if self.state.with_untracked(|known| *known != state) {
            self.state.set(state);
        }
    }
}

/// Whether this document's script is none of those that the server has now.
fn is_outdated(scripts: &[String]) -> bool {
    let link = document().query_selector("link[rel=modulepreload]").ok().flatten();
    let script = link.and_then(|link| link.get_attribute("href"));
    // A server that does not say which scripts it has cannot be compared.
    script.is_some_and(|script| !scripts.is_empty() && !scripts.iter().any(|known| script.ends_with(known.as_str())))
}
