//! How far a run is, as a line.

use leptos::prelude::*;

use crate::lab::feed::RunFeed;
use crate::lab::figures::Figures;

#[component]
pub fn ProgressLine(feed: RunFeed) -> impl IntoView {
    let percent = Memo::new(move |_| {
        let run = feed.run.get();
        feed.trace.with(|trace| Figures::of(&run, trace, trace.latest_us).percent)
    });
    let state = move || feed.run.with(|run| run.state.as_str());
    view! {
        <div
            class="progress_line"
            role="progressbar"
            aria-label="Progress"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get().to_string()
            data-state=state
        >
            <div class="progress_line_done" style:width=move || format!("{}%", percent.get())></div>
        </div>
    }
}
