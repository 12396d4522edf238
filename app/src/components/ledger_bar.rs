//! The ledger's equation as one bar, in which each place has its share.

use api::Ledger;
use leptos::prelude::*;

use crate::ledger::{self, Part};

#[component]
pub fn LedgerBar(ledger: Ledger) -> impl IntoView {
    let segment = |(color, count): (&'static str, u64)| {
        view! {
            <span
                class="ledger_segment"
                data-state=color
                hidden=count == 0
                style:flex-grow=count.to_string()
            ></span>
        }
    };
    let parts = Part::ALL.map(|part| (part.color(), part.count(&ledger)));
    // What is nowhere has its share too.
    let nowhere = ("nowhere", ledger.drift().max(0).unsigned_abs());
    view! {
        <div class="ledger_bar" role="img" aria-label=ledger::sentence(&ledger)>
            {parts.into_iter().chain([nowhere]).map(segment).collect_view()}
        </div>
    }
}
