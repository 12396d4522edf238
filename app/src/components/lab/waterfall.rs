//! When each request waited and when it was worked on: a bar for each, on one time axis.

use api::{LabSpec, LabWork};
use leptos::prelude::*;

use super::{DenseBars, ItemSlider, StateLegend, TimeAxis, WaterfallRow};
use crate::lab::bars::{self, ROWS_LIMIT};
use crate::lab::feed::RunFeed;
use crate::lab::scale::Scale;

#[component]
pub fn Waterfall(
    feed: RunFeed,
    /// How many requests there will be: their room is kept free from the beginning.
    planned: usize,
    /// How long the run takes at the least.
    expected_us: u64,
) -> impl IntoView {
    let count = Memo::new(move |_| feed.trace.with(|trace| trace.items.len()));
    let scale = Memo::new(move |_| {
        if feed.is_running() {
            return Scale::growing(feed.now_us.get(), expected_us);
        }
        Scale::to(feed.trace.with(bars::end))
    });
    // Other requests have numbers only.
    let has_names =
        feed.run.with_untracked(|run| matches!(&run.spec, LabSpec::Fetch(spec) if spec.work == LabWork::Flags));
    let inspected = RwSignal::new(None::<usize>);
    let rows = move || match count.get() {
        0 => view! { <p class="muted waterfall_empty">"The bars appear when the run begins."</p> }.into_any(),
        count if count <= ROWS_LIMIT => {
            let rows = (0..count).map(|index| view! { <WaterfallRow feed index scale inspected /> });
            view! { <ol class="waterfall_rows" aria-label="Requests">{rows.collect_view()}</ol> }.into_any()
        }
        count => view! { <DenseBars feed count scale inspected /> }.into_any(),
    };
    view! {
        <section class="card waterfall" aria-labelledby="waterfall-title">
            <header class="waterfall_head">
                <h3 id="waterfall-title">"Waterfall"</h3>
                <StateLegend feed />
            </header>
            <div
                class="waterfall_plot"
                data-named=has_names.then_some("")
                data-dense=(planned > ROWS_LIMIT).then_some("")
                style:min-height=format!("{}px", bars::plot_height(planned))
            >
                <TimeAxis scale />
                {rows}
            </div>
            <ItemSlider feed inspected count />
        </section>
    }
}
