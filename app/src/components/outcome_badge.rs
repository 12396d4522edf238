//! What came of an attempt, in the colours of the states.

use api::{AttemptOutcome, JobState};
use leptos::prelude::*;

use crate::components::{Icon, Sign};

#[component]
pub fn OutcomeBadge(outcome: AttemptOutcome) -> impl IntoView {
    let like = match outcome {
        AttemptOutcome::Running => JobState::Running,
        AttemptOutcome::Done => JobState::Done,
        AttemptOutcome::Failed | AttemptOutcome::Lost => JobState::Retrying,
        AttemptOutcome::Dead => JobState::Dead,
        AttemptOutcome::Cancelled => JobState::Cancelled,
        AttemptOutcome::Released => JobState::Waiting,
    };
    view! {
        <span class="state_badge" data-state=like.as_str()>
            <Icon sign=Sign::State(like) />
            {outcome.as_str()}
        </span>
    }
}
