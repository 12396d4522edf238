//! The three ways of writing a search's log down, side by side on one time axis.

use api::{Lane, LaneTrace};
use leptos::prelude::*;

use super::{LaneRow, TimeAxis};
use crate::lab::feed::RunFeed;
use crate::lab::lanes;
use crate::lab::scale::Scale;

#[component]
pub fn LaneList(feed: RunFeed, delay_ms: u32) -> impl IntoView {
    // Each in its own time: the processes do not start at the same moment.
    let lanes = Lane::ALL.map(|lane| {
        Memo::new(move |_| {
            let known = feed.trace.with(|trace| trace.lanes.iter().find(|known| known.lane == lane).cloned());
            lanes::since_sent(&known.unwrap_or(LaneTrace { lane, steps: vec![] }))
        })
    });
    let scale = Memo::new(move |_| {
        let is_running = feed.is_running();
        let now_us = feed.now_us.get();
        let ends = lanes.iter().map(|lane| {
            lane.with(|(lane, sent)| match lane.steps.last() {
                Some(_) if is_running => now_us.saturating_sub(*sent),
                Some(&(at_us, _)) => at_us,
                None => 0,
            })
        });
        let end = ends.max().unwrap_or_default();
        if is_running { Scale::growing(end, u64::from(delay_ms) * 1_100) } else { Scale::to(end) }
    });
    view! {
        <section class="card lanes" aria-labelledby="lanes-title">
            <h3 id="lanes-title">"The same search, three times"</h3>
            <div class="lane_axis"><TimeAxis scale /></div>
            <ol class="lane_list">
                {lanes.map(|lane| view! { <LaneRow feed lane scale /> }).collect_view()}
            </ol>
        </section>
    }
}
