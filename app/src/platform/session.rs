//! The session as this page knows it: who is logged in.

use api::{Account, ApiError, ErrorCode, SessionInfo};
use leptos::prelude::*;
use leptos::task::spawn_local;

#[derive(Clone, Copy)]
pub struct Session(RwSignal<SessionState>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// The server has not answered yet.
    Unknown,
    Known(SessionInfo),
    /// The server could not answer.
    Failed(ApiError),
}

impl Session {
    pub fn load() -> Self {
        let session = Self(RwSignal::new(SessionState::Unknown));
        session.refresh();
        session
    }

    pub fn state(self) -> SessionState {
        self.0.get()
    }

    pub fn account(self) -> Option<Account> {
        self.0.with(|state| match state {
            SessionState::Known(info) => info.account.clone(),
            SessionState::Unknown | SessionState::Failed(_) => None,
        })
    }

    /// Reads the session again, for example after the server has refused a stream.
    pub fn refresh(self) {
        spawn_local(async move {
            match api::session().await {
                Ok(info) => self.set(info),
                // A failed request must not log out an account that is known to be logged in.
                Err(error) => self.0.update(|state| {
                    if !matches!(state, SessionState::Known(_)) {
                        *state = SessionState::Failed(error);
                    }
                }),
            }
        });
    }

    pub fn logged_in(self, account: Account) {
        self.set(SessionInfo { account: Some(account), has_accounts: true });
    }

    pub fn logged_out(self) {
        self.set(SessionInfo { account: None, has_accounts: true });
    }

    /// Ends the session if a request failed because the server has none.
    pub fn end_if_signed_out(self, error: &ApiError) {
        if error.code == ErrorCode::SignedOut {
            self.logged_out();
        }
    }

    fn set(self, info: SessionInfo) {
        let state = SessionState::Known(info);
        if self.0.with_untracked(|known| *known != state) {
            self.0.set(state);
        }
    }
}
