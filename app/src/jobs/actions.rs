//! What an administrator can do to a job, from the list or from its page.

use std::time::Duration;

use api::{ApiError, JobId, JobState, Role};
use leptos::prelude::*;

use crate::platform::context;
use crate::platform::request::Request;
use crate::ui::notice::{Notice, Tone};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobAction {
    Retry,
    Cancel,
}

impl JobAction {
    const ALL: [Self; 2] = [Self::Cancel, Self::Retry];

    fn label(self) -> &'static str {
        match self {
            Self::Retry => "Retry",
            Self::Cancel => "Cancel",
        }
    }

    /// What the visitor is told about a job that was acted on.
    fn result(self, JobId(job): JobId, result: Result<(), ApiError>) -> (Tone, String) {
        let done = match self {
            Self::Retry => "retried",
            Self::Cancel => "cancelled",
        };
        match (self, result) {
            (Self::Retry, Ok(())) => (Tone::Info, format!("Job #{job} waits for a worker again.")),
            (Self::Cancel, Ok(())) => (Tone::Info, format!("Job #{job} was cancelled.")),
            (_, Err(error)) if error.is_outcome_unknown() => {
                (Tone::Warning, format!("It is not known whether job #{job} was {done}. {}", error.message))
            }
            (_, Err(error)) => (Tone::Error, format!("Job #{job} was not {done}. {}", error.message)),
        }
    }

    fn is_allowed_in(self, state: JobState) -> bool {
        match self {
            Self::Retry => state.can_retry(),
            Self::Cancel => state.can_cancel(),
        }
    }
}

/// How long the result of an action is shown.
const RESULT_TIME: Duration = Duration::from_secs(8);

/// The actions of a page, and their results.
#[derive(Clone, Copy)]
pub struct Actions {
    request: Request,
    /// Jobs with an action that has no answer yet.
    pending: StoredValue<Vec<JobId>>,
    /// The latest ones, oldest first.
    results: RwSignal<Vec<(Tone, String)>>,
    /// Called after each action, even a failed one: the job's state may differ from what the page shows.
    on_done: Callback<JobId>,
}

impl Actions {
    pub fn new(on_done: Callback<JobId>) -> Self {
        Self { request: Request::new(), pending: StoredValue::default(), results: RwSignal::new(Vec::new()), on_done }
    }

    fn run(self, action: JobAction, job: JobId) {
        let Self { request, pending, on_done, .. } = self;
        if pending.with_value(|pending| pending.contains(&job)) {
            // A double click is one action.
            return;
        }
        pending.update_value(|pending| pending.push(job));
        let then = move |answer| {
            let _ = pending.try_update_value(|pending| pending.retain(|&other| other != job));
            self.tell(action.result(job, answer));
            let _ = on_done.try_run(job);
        };
        match action {
            JobAction::Retry => request.send(api::retry_job(job), then),
            JobAction::Cancel => request.send(api::cancel_job(job), then),
        }
    }

    /// Shows a result for some time.
    pub fn tell(self, result: (Tone, String)) {
        let results = self.results;
        // The page may be gone by now.
        let _ = results.try_update(|results| results.push(result.clone()));
        let hide = move || {
            let _ = results.try_update(|results| {
                if let Some(index) = results.iter().position(|shown| *shown == result) {
                    results.remove(index);
                }
            });
        };
        set_timeout(hide, RESULT_TIME);
    }
}

/// Says what was acted on, above the page, so that it moves nothing.
#[component]
pub fn ActionResult(actions: Actions) -> impl IntoView {
    let is_shown = Memo::new(move |_| actions.results.with(|results| !results.is_empty()));
    let notices =
        move || actions.results.get().into_iter().map(|(tone, text)| view! { <Notice tone text /> }).collect_view();
    view! {
        <Show when=move || is_shown.get()>
            <div class="action_result">{notices}</div>
        </Show>
    }
}

/// The buttons that act on a job, if its state and the account allow it.
#[component]
pub fn JobActions(id: JobId, state: JobState, actions: Actions) -> impl IntoView {
    let may_act = may_act();
    let JobId(number) = id;
    let button = move |action: JobAction| {
        let is_off = !action.is_allowed_in(state);
        view! {
            <button
                class="button button-small"
                type="button"
                data-action=action.label()
                data-off=is_off.then_some("")
                disabled=is_off
                aria-label=format!("{} job {number}", action.label())
                on:click=move |_| actions.run(action, id)
            >
                {action.label()}
            </button>
        }
    };
    // Each keeps its place, also while it is off: under the pointer, no button becomes the other.
    view! { <div class="job_actions">{move || may_act.get().then(|| JobAction::ALL.map(button).collect_view())}</div> }
}

/// Whether the visitor may act on jobs.
pub fn may_act() -> Memo<bool> {
    let session = context::session();
    Memo::new(move |_| session.account().is_some_and(|account| account.role >= Role::Operator))
}
