//! Who is logged in, as far as this page knows.

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
    /// The server could not say.
    Failed(ApiError),
}

impl Session {
    /// Asks the server.
    #[must_use]
    pub fn ask() -> Self {
        let session = Self(RwSignal::new(SessionState::Unknown));
        session.refresh();
        session
    }

    #[must_use]
    pub fn state(self) -> SessionState {
        self.0.get()
    }

    #[must_use]
    pub fn account(self) -> Option<Account> {
        self.0.with(|state| match state {
            SessionState::Known(info) => info.account.clone(),
            SessionState::Unknown | SessionState::Failed(_) => None,
        })
    }

    /// Asks again, for instance because a stream was refused.
    pub fn refresh(self) {
        spawn_local(async move {
            match api::session().await {
                Ok(info) => self.learn(info),
                // A failure must not throw out someone who is known to be logged in.
                Err(error) => self.0.update(|state| {
                    if !matches!(state, SessionState::Known(_)) {
                        *state = SessionState::Failed(error);
                    }
                }),
            }
        });
    }

    pub fn logged_in(self, account: Account) {
        self.learn(SessionInfo { account: Some(account), has_accounts: true });
    }

    pub fn logged_out(self) {
        self.learn(SessionInfo { account: None, has_accounts: true });
    }

    /// Takes note of a failed request: one that was refused for want of a session ends ours.
    pub fn notice(self, error: &ApiError) {
        if error.code == ErrorCode::SignedOut {
            self.logged_out();
        }
    }

    fn learn(self, info: SessionInfo) {
        let news = SessionState::Known(info);
        if self.0.with_untracked(|state| *state != news) {
            self.0.set(news);
        }
    }
}
