//! The results in the order in which they were handed over.

use api::{ItemState, LabSpec, LabTrace, LabWork};
use leptos::prelude::*;

use super::Flag;
use crate::lab::bars;
use crate::lab::feed::RunFeed;
use crate::wording::number;

/// More chips than this nobody reads; the table has all.
const CHIPS_LIMIT: usize = 60;

#[component]
pub fn Arrivals(feed: RunFeed) -> impl IntoView {
    let has_flag =
        feed.run.with_untracked(|run| matches!(&run.spec, LabSpec::Fetch(spec) if spec.work == LabWork::Flags));
    let total = Memo::new(move |_| feed.trace.with(|trace| trace.delivered.len()));
    let chips = Memo::new(move |_| {
        feed.trace.with(|trace| trace.delivered.iter().take(CHIPS_LIMIT).copied().collect::<Vec<u32>>())
    });
    let rest = move || match total.get().saturating_sub(CHIPS_LIMIT) {
        0 => None,
        rest => Some(view! { <li class="arrival_rest muted">{format!("and {} more", number(rest as u64))}</li> }),
    };
    view! {
        <section class="card arrivals" aria-labelledby="arrivals-title">
            <h3 id="arrivals-title">"Arrivals, in order"</h3>
            <Show when=move || total.get() == 0><p class="muted">"Nothing has arrived yet."</p></Show>
            <ol class="arrival_list" aria-labelledby="arrivals-title">
                <For each=move || chips.get() key=|index| *index children=move |index| view! { <Arrival feed index has_flag /> } />
                {rest}
            </ol>
        </section>
    }
}

#[component]
fn Arrival(feed: RunFeed, index: u32, has_flag: bool) -> impl IntoView {
    // Delivered is delivered: what is told of it does not change.
    let (state, label, text) = feed.trace.with_untracked(|trace| told(trace, index));
    let sign = bars::sign(state).as_str();
    let code = Signal::stored(label.clone());
    view! {
        <li class="arrival" data-state=sign>
            {has_flag.then(|| view! { <Flag code is_there=Signal::stored(state == ItemState::Done) /> })}
            <span>{label}</span>
            {(!text.is_empty()).then(|| view! { <strong>{text}</strong> })}
        </li>
    }
}

/// The item's state, what it is called, and what came of it if that is worth a word.
fn told(trace: &LabTrace, index: u32) -> (ItemState, String, String) {
    let place = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(item) = trace.items.get(place) else { return Default::default() };
    let label = bars::name(place, item).map_or_else(|| format!("#{}", index + 1), ToOwned::to_owned);
    let text = match &item.error {
        Some(error) => error.kind.label().to_owned(),
        None if item.text == label || item.text.chars().count() > 12 => String::new(),
        None => item.text.clone(),
    };
    (item.state, label, text)
}
