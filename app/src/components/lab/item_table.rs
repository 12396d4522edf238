//! Every request with its figures, as a table: for those who do not see the bars, and for copying.

use api::ItemTrace;
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::lab::feed::RunFeed;
use crate::lab::{bars, span};

/// The same folded: its rows are made when it is opened.
#[component]
pub fn ItemTable(feed: RunFeed) -> impl IntoView {
    let is_open = RwSignal::new(false);
    view! {
        <details class="card table_view" on:toggle:target=move |event| is_open.set(event.target().open())>
            <summary>"All requests as a table"</summary>
            <Show when=move || is_open.get()><ItemRows feed /></Show>
        </details>
    }
}

#[component]
pub fn ItemRows(feed: RunFeed) -> impl IntoView {
    let count = Memo::new(move |_| feed.trace.with(|trace| trace.items.len()));
    let rows = move || (0..count.get()).map(|index| view! { <ItemRow feed index /> }).collect_view();
    view! {
        <div class="table_scroll" tabindex="0" role="region" aria-label="Requests">
            <table class="figures_table">
                <thead>
                    <tr>
                        <th scope="col">"#"</th>
                        <th scope="col">"Request"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Started"</th>
                        <th scope="col">"Took"</th>
                        <th scope="col">"Called back"</th>
                        <th scope="col">"Handed over"</th>
                        <th scope="col">"Result"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn ItemRow(feed: RunFeed, index: usize) -> impl IntoView {
    let item = Memo::new(move |_| feed.trace.with(|trace| trace.items.get(index).cloned().unwrap_or_default()));
    let state = Memo::new(move |_| item.with(|item| item.state));
    let at = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), span::measured);
    let cell = move |text: fn(&ItemTrace) -> Option<u64>| move || at(item.with(text));
    view! {
        <tr>
            <td>{index + 1}</td>
            <th scope="row">{move || item.with(|item| item.label.clone())}</th>
            <td class="item_state" data-state=move || bars::sign(state.get()).as_str()>
                {move || view! { <Icon sign=Sign::State(bars::sign(state.get())) /> }}
                " "
                {move || state.get().as_str()}
            </td>
            <td>{cell(|item| item.started_us)}</td>
            <td>{cell(|item| Some(item.ended_us? - item.started_us?))}</td>
            <td>{cell(|item| item.called_back_us)}</td>
            <td>{cell(|item| item.delivered_us)}</td>
            <td class="item_result">{move || item.with(result)}</td>
        </tr>
    }
}

fn result(item: &ItemTrace) -> String {
    match &item.error {
        Some(error) => format!("{}: {}", error.kind.label(), error.detail),
        None => item.text.clone(),
    }
}
