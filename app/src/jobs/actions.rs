//! What an administrator can do to a job, from the list or from its page.

use api::{JobId, JobState, Role};
use leptos::prelude::*;

use crate::platform::context;
use crate::platform::request::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobAction {
    Retry,
    Cancel,
}

impl JobAction {
    const ALL: [Self; 2] = [Self::Retry, Self::Cancel];

    fn label(self) -> &'static str {
        match self {
            Self::Retry => "Retry",
            Self::Cancel => "Cancel",
        }
    }

    fn is_allowed_in(self, state: JobState) -> bool {
        match self {
            Self::Retry => state.can_retry(),
            Self::Cancel => state.can_cancel(),
        }
    }
}

/// The buttons that act on a job, if its state and the account allow it.
#[component]
pub fn JobActions(
    id: JobId,
    state: JobState,
    request: Request,
    /// Called after each action, even a failed one: the job's state may differ from what the page shows.
    on_done: Callback<()>,
) -> impl IntoView {
    let may_act = may_act();
    let JobId(number) = id;
    let run = move |action| {
        let then = move |_| {
            let _ = on_done.try_run(());
        };
        match action {
            JobAction::Retry => request.send(api::retry_job(id), then),
            JobAction::Cancel => request.send(api::cancel_job(id), then),
        }
    };
    let buttons = move || {
        let allowed = move |action: &JobAction| may_act.get() && action.is_allowed_in(state);
        JobAction::ALL.into_iter().filter(allowed).map(move |action| {
            view! {
                <button
                    class="button button-small"
                    type="button"
                    data-action=action.label()
                    aria-label=format!("{} job {number}", action.label())
                    on:click=move |_| run(action)
                >
                    {action.label()}
                </button>
            }
        })
    };
    view! { <div class="job_actions">{move || buttons().collect_view()}</div> }
}

/// Whether the visitor may act on jobs.
pub fn may_act() -> Memo<bool> {
    let session = context::session();
    Memo::new(move |_| session.account().is_some_and(|account| account.role >= Role::Operator))
}
