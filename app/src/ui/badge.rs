//! States as icon, word and colour.

use api::JobState;
use leptos::prelude::*;

use crate::ui::icon::{Icon, Symbol};
use crate::ui::words;

/// The state of a job.
#[component]
pub fn StateBadge(state: JobState) -> impl IntoView {
    view! {
        <span class="state_badge" data-state=state.as_str()>
            <Icon symbol=Symbol::State(state) />
            {words::state(state)}
        </span>
    }
}
