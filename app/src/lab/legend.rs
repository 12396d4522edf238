//! How many requests of a run are in each state.

use api::ItemState;
use leptos::prelude::*;

use crate::lab::bars;
use crate::lab::stream::RunStream;
use crate::ui::format::number;
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn StateLegend(stream: RunStream) -> impl IntoView {
    let entry = move |state: ItemState| {
        let count = Memo::new(move |_| stream.trace.with(|trace| trace.count(state)));
        let job_state = bars::job_state(state);
        view! {
            <li class="state_legend_entry" data-state=job_state.as_str() data-none=move || (count.get() == 0).then_some("")>
                <Icon symbol=Symbol::State(job_state) />
                {state.as_str()}
                " "
                <strong>{move || number(count.get() as u64)}</strong>
            </li>
        }
    };
    view! { <ul class="state_legend" aria-label="Requests by state">{ItemState::ALL.map(entry).collect_view()}</ul> }
}
