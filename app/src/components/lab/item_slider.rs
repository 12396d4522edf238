//! The figures of one request: of the one that is pointed at, or that the slider stands at.

use leptos::prelude::*;

use crate::lab::bars;
use crate::lab::feed::RunFeed;

#[component]
pub fn ItemSlider(feed: RunFeed, inspected: RwSignal<Option<usize>>, count: Memo<usize>) -> impl IntoView {
    let sentence = Memo::new(move |_| {
        let index = inspected.get()?;
        let now_us = if feed.is_running() { feed.now_us.get() } else { 0 };
        feed.trace.with(|trace| {
            let item = trace.items.get(index)?;
            let number = u32::try_from(index).ok()?;
            let place = trace.delivered.iter().position(|&delivered| delivered == number).map(|place| place + 1);
            Some(bars::sentence(index, item, place, now_us.max(trace.latest_us)))
        })
    });
    let said =
        move || sentence.get().unwrap_or_else(|| "Point at a bar, or move the slider, for its figures.".to_owned());
    view! {
        <div class="slider_row">
            <input
                type="range"
                min="1"
                max=move || count.get().max(1).to_string()
                aria-label="Request"
                aria-valuetext=said
                prop:value=move || inspected.get().map_or(1, |index| index + 1).to_string()
                on:input:target=move |event| inspected.set(event.target().value().parse().ok().map(|number: usize| number - 1))
            />
            <p class="slider_said">{said}</p>
        </div>
    }
}
