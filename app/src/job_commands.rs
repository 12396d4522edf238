//! What an administrator can do to a job, from the list or from its page.

use api::{ApiError, JobId, JobState, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::context;
use crate::session::Session;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobCommand {
    Retry,
    Cancel,
}

impl JobCommand {
    pub const ALL: [Self; 2] = [Self::Retry, Self::Cancel];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "Retry",
            Self::Cancel => "Cancel",
        }
    }

    #[must_use]
    pub fn fits(self, state: JobState) -> bool {
        match self {
            Self::Retry => state.can_retry(),
            Self::Cancel => state.can_cancel(),
        }
    }
}

/// Sends commands, and remembers how the last one failed.
#[derive(Clone, Copy)]
pub struct JobCommands {
    pub error: RwSignal<Option<ApiError>>,
    on_done: Callback<()>,
    session: Session,
}

impl JobCommands {
    #[must_use]
    pub fn new(on_done: Callback<()>) -> Self {
        Self { error: RwSignal::new(None), on_done, session: context::session() }
    }

    pub fn run(self, command: JobCommand, id: JobId) {
        spawn_local(async move {
            let outcome = match command {
                JobCommand::Retry => api::retry_job(id).await,
                JobCommand::Cancel => api::cancel_job(id).await,
            };
            if let Err(error) = &outcome {
                self.session.notice(error);
            }
            self.error.try_set(outcome.err());
            // Also after a failure: the job is not in the state that the page shows.
            let _ = self.on_done.try_run(());
        });
    }
}

/// Whether the account that is logged in may act on jobs.
#[must_use]
pub fn may_act() -> Memo<bool> {
    let session = context::session();
    Memo::new(move |_| session.account().is_some_and(|account| account.role >= Role::Operator))
}
