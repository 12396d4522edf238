//! One run with all that is known of it, live.

use api::{JobState, LabRun, LabSpec, LabStyle};
use leptos::prelude::*;

use super::{
    Arrivals, FailureList, FuturesTable, ItemTable, LaneList, PoolChart, ProgressLine, RunHead, RunTiles, Waterfall,
};
use crate::components::{Notice, Tone};
use crate::lab::{feed, words};

/// Where a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPlace {
    /// Beside the forms.
    Lab,
    /// On a page of its own, which has the run's title for a heading.
    Page,
}

#[component]
pub fn RunView(run: LabRun, place: RunPlace, on_end: Callback<JobState>) -> impl IntoView {
    let spec = run.spec.clone();
    let was_over = run.state.is_final();
    let feed = feed::follow(run);
    let state = Memo::new(move |_| feed.run.with(|run| run.state));
    Effect::new(move |_| {
        let state = state.get();
        if state.is_final() && !was_over {
            on_end.run(state);
        }
    });
    let standing = Memo::new(move |_| feed.run.with(words::standing));
    let tone = move || if state.get() == JobState::Dead { Tone::Error } else { Tone::Info };
    view! {
        <div class="lab_run">
            <RunHead feed place />
            <ProgressLine feed />
            {move || standing.get().map(|text| view! { <Notice tone=tone() text /> })}
            <RunTiles feed />
            {match spec {
                LabSpec::Fetch(spec) => {
                    let planned = spec.count as usize;
                    let has_futures = spec.style == LabStyle::Futures;
                    view! {
                        <Waterfall feed planned expected_us=spec.least_ms() * 1_000 />
                        {has_futures.then(|| view! { <FuturesTable feed planned /> })}
                        <Arrivals feed />
                        <FailureList feed />
                        {(!has_futures).then(|| view! { <ItemTable feed /> })}
                    }
                    .into_any()
                }
                LabSpec::Database(_) => view! { <PoolChart feed /><FailureList feed /> }.into_any(),
                LabSpec::Request(spec) => view! { <LaneList feed delay_ms=spec.delay_ms /> }.into_any(),
            }}
        </div>
    }
}
