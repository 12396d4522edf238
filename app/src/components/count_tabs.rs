//! How many jobs are in each state; each leads to the list of those.

use api::{JobCounts, JobState};
use leptos::prelude::*;

use crate::components::{CountTab, Sign};
use crate::url;

#[component]
pub fn CountTabs(
    #[prop(into)] counts: Signal<Option<JobCounts>>,
    #[prop(into)] chosen: Signal<Option<JobState>>,
) -> impl IntoView {
    let total = move |counts: JobCounts| JobState::ALL.into_iter().map(|state| counts.of(state)).sum::<u64>();
    let tab = move |state: Option<JobState>| {
        let count = Signal::derive(move || {
            let counts = counts.get()?;
            Some(state.map_or_else(|| total(counts), |state| counts.of(state)))
        });
        view! {
            <CountTab
                address=url::with_query("/jobs", &[("state", state.map(JobState::as_str))])
                word=state.map_or("all", JobState::as_str)
                sign=state.map_or(Sign::Stack, Sign::State)
                color=state.map(JobState::as_str)
                is_chosen=Signal::derive(move || chosen.get() == state)
                count
            />
        }
    };
    let states = std::iter::once(None).chain(JobState::ALL.into_iter().map(Some));
    view! { <nav class="count_tabs" aria-label="Jobs by state">{states.map(tab).collect_view()}</nav> }
}
