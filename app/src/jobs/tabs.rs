//! One row of links to the jobs in each state, with their numbers.

use api::{FilterKey, JobCounts, JobFilter, JobState};
use leptos::prelude::*;

use crate::jobs::reading::in_state;
use crate::jobs::words;
use crate::ui;
use crate::ui::format;
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn StateTabs(
    /// `None` until they are known.
    #[prop(into)]
    counts: Signal<Option<JobCounts>>,
    /// The filter of the list, in which the tabs put their states.
    filter: Memo<JobFilter>,
) -> impl IntoView {
    let total = move |counts: JobCounts| JobState::ALL.into_iter().map(|state| counts.of(state)).sum::<u64>();
    let chosen = Memo::new(move |_| filter.with(JobFilter::state));
    // The numbers are of all jobs.
    let is_counted = Memo::new(move |_| filter.get().without(Some(FilterKey::State)).is_empty());
    let tab = move |state: Option<JobState>| {
        let count = Memo::new(move |_| {
            let counts = counts.get().filter(|_| is_counted.get())?;
            Some(state.map_or_else(|| total(counts), |state| counts.of(state)))
        });
        view! {
            <a
                class="state_tab"
                href=move || in_state(filter.get(), state)
                data-state=state.map(JobState::as_str)
                data-none=move || (count.get() == Some(0)).then_some("")
                aria-current=move || (chosen.get() == state).then_some("true")
            >
                {state.map(|state| view! { <Icon symbol=Symbol::State(state) /> })}
                <span>{state.map_or(words::ALL, ui::words::state)}</span>
                " "
                <span class="state_tab_count">{move || count.get().map(format::number)}</span>
            </a>
        }
    };
    let states = std::iter::once(None).chain(JobState::ALL.into_iter().map(Some));
    view! { <nav class="state_tabs" aria-label=words::BY_STATE>{states.map(tab).collect_view()}</nav> }
}
