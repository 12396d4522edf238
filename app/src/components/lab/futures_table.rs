//! The futures of a run: how many are in each of their states, and each of them.

use api::ItemState;
use leptos::prelude::*;

use super::ItemRows;
use crate::lab::bars::ROWS_LIMIT;
use crate::lab::feed::RunFeed;
use crate::wording::number;

#[component]
pub fn FuturesTable(feed: RunFeed, planned: usize) -> impl IntoView {
    let is_short = planned <= ROWS_LIMIT;
    let is_open = RwSignal::new(is_short);
    let count = move |states: &'static [ItemState]| {
        Memo::new(move |_| feed.trace.with(|trace| states.iter().map(|&state| trace.count(state)).sum::<usize>()))
    };
    let called_back = Memo::new(move |_| {
        feed.trace.with(|trace| trace.items.iter().filter(|item| item.called_back_us.is_some()).count())
    });
    let counts = [
        ("pending", count(&[ItemState::Pending])),
        ("running", count(&[ItemState::Running])),
        ("finished", count(&[ItemState::Done, ItemState::Failed])),
        ("cancelled", count(&[ItemState::Cancelled])),
        ("called back", called_back),
    ];
    let entry = |(word, count): (&'static str, Memo<usize>)| {
        view! { <div><dt>{word}</dt><dd>{move || number(count.get() as u64)}</dd></div> }
    };
    view! {
        <section class="card futures" aria-labelledby="futures-title">
            <h3 id="futures-title">"Futures"</h3>
            <dl class="future_counts">{counts.map(entry).collect_view()}</dl>
            <details class="table_view" open=is_short on:toggle:target=move |event| is_open.set(event.target().open())>
                <summary>"Each future"</summary>
                <Show when=move || is_open.get()><ItemRows feed /></Show>
            </details>
        </section>
    }
}
