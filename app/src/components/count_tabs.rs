//! How many jobs are in each state; each leads to the list of those.

use api::{JobCounts, JobState};
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::{url, wording};

#[component]
pub fn CountTabs(
    #[prop(into)] counts: Signal<Option<JobCounts>>,
    #[prop(into)] chosen: Signal<Option<JobState>>,
) -> impl IntoView {
    let total = move |counts: JobCounts| JobState::ALL.into_iter().map(|state| counts.of(state)).sum::<u64>();
    let tab = move |state: Option<JobState>| {
        let count = move || {
            let counts = counts.get()?;
            Some(wording::number(state.map_or_else(|| total(counts), |state| counts.of(state))))
        };
        let sign = state.map_or(Sign::Stack, Sign::State);
        view! {
            <a
                class="count_tab"
                href=url::with_query("/jobs", &[("state", state.map(JobState::word))])
                data-state=state.map(JobState::word)
                aria-current=move || (chosen.get() == state).then_some("true")
            >
                <span class="count_tab_word">
                    <Icon sign />
                    {state.map_or("all", JobState::word)}
                </span>
                <span class="count_tab_number">{count}</span>
            </a>
        }
    };
    let states = std::iter::once(None).chain(JobState::ALL.into_iter().map(Some));
    view! { <nav class="count_tabs" aria-label="Jobs by state">{states.map(tab).collect_view()}</nav> }
}
