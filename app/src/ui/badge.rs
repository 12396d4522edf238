//! States as icon, word and colour.

use api::JobState;
use leptos::prelude::*;

use crate::ui::format;
use crate::ui::icon::{Icon, Symbol};

/// The state of a job.
#[component]
pub fn StateBadge(state: JobState) -> impl IntoView {
    view! {
        <span class="state_badge" data-state=state.as_str()>
            <Icon symbol=Symbol::State(state) />
            {state.as_str()}
        </span>
    }
}

/// A count that links to a list.
#[component]
pub fn CountTab(
    address: String,
    label: &'static str,
    symbol: Symbol,
    /// The state that gives it its colour.
    color: Option<&'static str>,
    /// Whether its list is the one that is shown.
    #[prop(optional)]
    is_chosen: Signal<bool>,
    #[prop(into)] count: Signal<Option<u64>>,
) -> impl IntoView {
    view! {
        <a
            class="count_tab"
            href=address
            data-state=color
            aria-current=move || is_chosen.get().then_some("true")
        >
            <span class="count_tab_label"><Icon symbol />{label}</span>
            <span class="count_tab_number">{move || count.get().map(format::number)}</span>
        </a>
    }
}
