//! A waterfall of more requests than there is room for rows: one line each, all of a state in one path.

use api::ItemState;
use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::lab::bars::{self, DENSE_WIDTH};
use crate::lab::feed::RunFeed;
use crate::lab::scale::Scale;

/// Thousands of lines are drawn anew only this often while the time goes on, in microseconds.
const REDRAWN_US: u64 = 50_000;
/// The states that have a bar.
const WORKED: [ItemState; 3] = [ItemState::Running, ItemState::Done, ItemState::Failed];

#[component]
pub fn DenseBars(feed: RunFeed, count: usize, scale: Memo<Scale>, inspected: RwSignal<Option<usize>>) -> impl IntoView {
    let height = bars::dense_height(count);
    let now_us = Memo::new(move |_| {
        let is_over = !feed.is_running();
        let now_us = feed.now_us.get();
        if is_over { now_us } else { now_us / REDRAWN_US * REDRAWN_US }
    });
    let path = move |state: ItemState| {
        let lines = Memo::new(move |_| {
            feed.trace.with(|trace| bars::dense_path(&trace.items, state, scale.get(), now_us.get()))
        });
        view! { <path class="dense_bar" data-state=bars::sign(state).as_str() d=lines /> }
    };
    let waits = Memo::new(move |_| feed.trace.with(|trace| bars::dense_waits(&trace.items, scale.get(), now_us.get())));
    let point = move |event: MouseEvent| {
        let row = usize::try_from(event.offset_y()).unwrap_or_default() * count / height;
        inspected.set(Some(row.min(count - 1)));
    };
    let marked = move || inspected.get().map(|index| format!("M0 {index}.5H{DENSE_WIDTH}"));
    view! {
        <div class="dense_bars" data-thin=(count > height).then_some("") style:height=format!("{height}px")>
            <svg
                viewBox=format!("0 0 {DENSE_WIDTH} {count}")
                preserveAspectRatio="none"
                aria-hidden="true"
                on:mousemove=point
            >
                <path class="dense_wait" d=waits />
                {WORKED.map(path).collect_view()}
                <path class="dense_marked" d=marked />
            </svg>
        </div>
    }
}
