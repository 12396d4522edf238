//! What an administrator can do to a job, from the list or from its page.

use std::sync::Arc;

use api::{ApiError, JobId, JobState, Role};
use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::jobs::words;
use crate::platform::request::Request;
use crate::platform::{context, url};
use crate::ui::notice::{StillWaiting, Tone};
use crate::ui::toast::{Toasts, Undo};
use crate::ui::{shortcuts, toast};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobAction {
    Retry,
    Cancel,
}

impl JobAction {
    const ALL: [Self; 2] = [Self::Retry, Self::Cancel];

    fn label(self) -> &'static str {
        match self {
            Self::Retry => words::RETRY,
            Self::Cancel => words::CANCEL,
        }
    }

    /// What the visitor is told about a job that was acted on.
    fn result(self, job: JobId, result: Result<(), ApiError>) -> (Tone, String) {
        match (self, result) {
            (Self::Retry, Ok(())) => (Tone::Info, words::retried(job)),
            (Self::Cancel, Ok(())) => (Tone::Info, words::cancelled(job)),
            (action, Err(error)) => {
                let tone = if error.is_outcome_unknown() { Tone::Warning } else { Tone::Error };
                let done = if action == Self::Retry { words::RETRIED } else { words::DONE_CANCELLED };
                (tone, words::not_done(job, done, &error))
            }
        }
    }

    fn is_offered(self, place: Place, state: JobState) -> bool {
        match (self, place) {
            (Self::Cancel, _) => state.can_cancel(),
            (Self::Retry, Place::Page) => state.can_retry(),
            (Self::Retry, Place::List) => matches!(state, JobState::Dead | JobState::Cancelled),
        }
    }

    /// The action that takes this one back, on a job that was in the state `before`. A job that had a time of its own
    /// does not get it back, and one that had ended does not end the same way again.
    fn taken_back_by(self, before: JobState) -> Option<Self> {
        match (self, before) {
            (Self::Cancel, JobState::Waiting | JobState::Running) => Some(Self::Retry),
            (Self::Retry, JobState::Cancelled) => Some(Self::Cancel),
            _ => None,
        }
    }

    /// The job's state after this action.
    fn leads_to(self) -> JobState {
        match self {
            Self::Retry => JobState::Waiting,
            Self::Cancel => JobState::Cancelled,
        }
    }
}

/// Where the buttons stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Offers what a job in this state most likely needs: one action at most.
    List,
    /// Offers all that is allowed, with its consequence beside it.
    Page,
}

/// The actions of a page.
#[derive(Clone, Copy)]
pub struct Actions {
    request: Request,
    /// Jobs with an action that has no answer yet.
    pending: RwSignal<Vec<JobId>>,
    pub toasts: Toasts,
    /// Called after each action, even a failed one: the job's state may differ from what the page shows.
    on_done: Callback<JobId>,
}

impl Actions {
    pub fn new(on_done: Callback<JobId>) -> Self {
        Self { request: Request::new(), pending: RwSignal::default(), toasts: Toasts::new(), on_done }
    }

    /// Acts on a job in the state `before`.
    fn run(self, action: JobAction, job: JobId, before: JobState) {
        let Self { request, pending, toasts, on_done } = self;
        // A double click is one action. The page of an Undo may be gone.
        if pending.is_disposed() || pending.with_untracked(|pending| pending.contains(&job)) {
            return;
        }
        pending.update(|pending| pending.push(job));
        let then = move |answer: Result<(), ApiError>| {
            let _ = pending.try_update(|pending| pending.retain(|&other| other != job));
            let back = answer.is_ok().then(|| action.taken_back_by(before)).flatten();
            let undo = back.map(|back| -> Undo {
                Arc::new(move || {
                    self.run(back, job, action.leads_to());
                    if shortcuts::is_focus_within(toast::CORNER) {
                        let row = format!(".row_link[href='{}']", url::of_job(job));
                        let _ = shortcuts::focus(&row);
                    }
                })
            });
            let (tone, text) = action.result(job, answer);
            toasts.tell(tone, text, undo);
            let _ = on_done.try_run(job);
        };
        match action {
            JobAction::Retry => request.send(api::retry_job(job), then),
            JobAction::Cancel => request.send(api::cancel_job(job), then),
        }
    }
}

/// The buttons that act on a job, if its state and the account allow it.
#[component]
pub fn JobActions(id: JobId, state: JobState, place: Place, actions: Actions) -> impl IntoView {
    let may_act = may_act();
    // Under the pointer, one button becomes the other: the second click of a double click is none.
    let press = move |event: MouseEvent, action| {
        if event.detail() < 2 {
            actions.run(action, id, state);
        }
        // By keyboard. The button goes with the job's state; its page has a heading instead of a row.
        if event.detail() == 0 && place == Place::Page {
            shortcuts::focus("h1");
        }
    };
    let is_pending = Memo::new(move |_| actions.pending.with(|pending| pending.contains(&id)));
    let button = move |action: JobAction| {
        view! {
            <button
                class="button button-small"
                type="button"
                data-action=action.label()
                aria-label=words::action_on(action.label(), id)
                aria-disabled=move || is_pending.get().then_some("true")
                on:click=move |event| press(event, action)
            >
                {action.label()}
            </button>
        }
    };
    let buttons = move || {
        let allowed = JobAction::ALL.into_iter().filter(|action| action.is_offered(place, state));
        may_act.get().then(|| allowed.map(button).collect_view())
    };
    view! {
        <div class="job_actions">
            <span class="job_waiting" role="status">{move || is_pending.get().then(|| view! { <StillWaiting /> })}</span>
            {buttons}
        </div>
    }
}

/// Whether the visitor may act on jobs.
pub fn may_act() -> Memo<bool> {
    let session = context::session();
    Memo::new(move |_| session.account().is_some_and(|account| account.role >= Role::Operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_taken_back_whole_has_an_undo() {
        let undo =
            |action: JobAction| JobState::ALL.into_iter().filter(move |&state| action.taken_back_by(state).is_some());
        assert!(undo(JobAction::Cancel).eq([JobState::Waiting, JobState::Running]));
        assert!(undo(JobAction::Retry).eq([JobState::Cancelled]));
    }

    #[test]
    fn a_list_offers_one_action_at_most_and_runs_nothing_again_that_is_done() {
        for state in JobState::ALL {
            let offered = JobAction::ALL.into_iter().filter(|action| action.is_offered(Place::List, state)).count();
            assert_eq!(offered, usize::from(state != JobState::Done), "{state:?}");
        }
        assert!(JobAction::Retry.is_offered(Place::Page, JobState::Done));
    }
}
