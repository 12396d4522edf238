//! How many requests of a run are in each state.

use api::{ItemState, LabRun, LabTrace};
use leptos::prelude::*;

use crate::lab::bars;
use crate::lab::stream::RunStream;
use crate::lab::words::run as words;
use crate::ui::format::number;
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn StateLegend(stream: RunStream) -> impl IntoView {
    let entry = move |state: ItemState| {
        let count = Memo::new(move |_| stream.run.with(|run| stream.trace.with(|trace| count(run, trace, state))));
        let job_state = bars::job_state(state);
        view! {
            <li class="state_legend_entry" data-state=job_state.as_str() data-none=move || (count.get() == 0).then_some("")>
                <Icon symbol=Symbol::State(job_state) />
                {words::item::state(state)}
                " "
                <strong>{move || number(count.get())}</strong>
            </li>
        }
    };
    // The run's figures above say the same once all have ended.
    let is_open = Memo::new(move |_| stream.run.with(|run| !run.state.is_final()));
    view! {
        <Show when=move || is_open.get()>
            <ul class="state_legend" aria-label=words::BY_STATE>{ItemState::ALL.map(entry).collect_view()}</ul>
        </Show>
    }
}

/// From the run's summary, as soon as there is one: its events may come later.
fn count(run: &LabRun, trace: &LabTrace, state: ItemState) -> u64 {
    match (&run.summary, state) {
        (Some(summary), ItemState::Done) => summary.done.into(),
        (Some(summary), ItemState::Failed) => summary.failed.into(),
        (Some(summary), ItemState::Cancelled) => summary.cancelled.into(),
        (Some(_), ItemState::Pending | ItemState::Running) => 0,
        (None, _) => trace.count(state) as u64,
    }
}

#[cfg(test)]
mod tests {
    use api::{FetchSpec, ItemTrace, JobId, JobState, LabRunId, LabSpec, LabSummary, TimeMs};

    use super::*;

    #[test]
    fn a_summary_counts_before_its_events_have_come() {
        let running = LabRun {
            id: LabRunId::from_parts(1, 1),
            job: JobId(1),
            spec: LabSpec::Fetch(FetchSpec::FIRST),
            state: JobState::Running,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent: 0,
            summary: None,
            error: None,
            can_cancel: false,
        };
        let item = |state| ItemTrace { state, ..ItemTrace::default() };
        let items = vec![item(ItemState::Done), item(ItemState::Running), item(ItemState::Pending)];
        let trace = LabTrace { items, ..LabTrace::default() };
        let counts = |run: &LabRun| ItemState::ALL.iter().map(|&state| count(run, &trace, state)).collect::<Vec<_>>();
        assert_eq!(counts(&running), [1, 1, 1, 0, 0]);
        let summary = Some(LabSummary { done: 2, failed: 1, ..LabSummary::default() });
        assert_eq!(counts(&LabRun { summary, ..running }), [0, 0, 2, 1, 0]);
    }
}
