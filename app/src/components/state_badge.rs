//! A job's state: icon, word and colour.

use api::JobState;
use leptos::prelude::*;

use crate::components::{Icon, Sign};

#[component]
pub fn StateBadge(state: JobState) -> impl IntoView {
    view! {
        <span class="state_badge" data-state=state.as_str()>
            <Icon sign=Sign::State(state) />
            {state.as_str()}
        </span>
    }
}
