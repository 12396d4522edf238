//! How many requests are in each state; tells the colours of the bars too.

use api::ItemState;
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::lab::bars;
use crate::lab::feed::RunFeed;
use crate::wording::number;

#[component]
pub fn StateLegend(feed: RunFeed) -> impl IntoView {
    let entry = move |state: ItemState| {
        let count = Memo::new(move |_| feed.trace.with(|trace| trace.count(state)));
        let sign = bars::sign(state);
        view! {
            <li class="state_legend_entry" data-state=sign.as_str() data-none=move || (count.get() == 0).then_some("")>
                <Icon sign=Sign::State(sign) />
                {state.as_str()}
                " "
                <strong>{move || number(count.get() as u64)}</strong>
            </li>
        }
    };
    view! { <ul class="state_legend" aria-label="Requests by state">{ItemState::ALL.map(entry).collect_view()}</ul> }
}
