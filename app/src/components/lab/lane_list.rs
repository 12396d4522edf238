//! The three ways of writing a search's log down, side by side on one time axis.

use api::{Lane, LaneTrace};
use leptos::prelude::*;

use super::{LaneRow, TimeAxis};
use crate::lab::feed::RunFeed;
use crate::lab::scale::Scale;

#[component]
pub fn LaneList(feed: RunFeed, delay_ms: u32) -> impl IntoView {
    let scale = Memo::new(move |_| {
        if feed.is_running() {
            return Scale::growing(feed.now_us.get(), u64::from(delay_ms) * 1_100);
        }
        Scale::to(feed.trace.with(|trace| trace.latest_us))
    });
    let row = move |lane: Lane| {
        let trace = Memo::new(move |_| {
            let known = feed.trace.with(|trace| trace.lanes.iter().find(|known| known.lane == lane).cloned());
            known.unwrap_or(LaneTrace { lane, steps: vec![] })
        });
        view! { <LaneRow feed lane trace scale /> }
    };
    view! {
        <section class="card lanes" aria-labelledby="lanes-title">
            <h3 id="lanes-title">"The same search, three times"</h3>
            <div class="lane_axis"><TimeAxis scale /></div>
            <ol class="lane_list">{Lane::ALL.map(row).collect_view()}</ol>
        </section>
    }
}
