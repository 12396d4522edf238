//! The ledger: that every accepted search is somewhere, as an equation to add up.

use api::{JobState, Ledger, MissingSearch};
use leptos::prelude::*;

use crate::components::{Icon, LedgerBar, LedgerEquation, MissingSearches, Notice, Sign, Tone};
use crate::ledger;

#[component]
pub fn LedgerCard(
    /// None while the database does not answer.
    ledger: Option<Ledger>,
    missing: Vec<MissingSearch>,
) -> impl IntoView {
    let known = |ledger: Ledger| {
        view! {
            <LedgerEquation ledger />
            <LedgerBar ledger />
            {verdict(ledger.drift())}
        }
        .into_any()
    };
    let unknown = || {
        let text = "The database does not answer: where the searches are is not known just now.";
        view! { <p class="muted">{text}</p> }.into_any()
    };
    view! {
        <section class="system_card card" aria-labelledby="ledger-title">
            <h2 id="ledger-title">"Ledger"</h2>
            {ledger.map_or_else(unknown, known)}
            {(!missing.is_empty()).then(|| view! { <MissingSearches missing /> })}
        </section>
    }
}

fn verdict(drift: i64) -> AnyView {
    let text = ledger::verdict(drift);
    match drift {
        0 => view! { <p class="ledger_verdict"><Icon sign=Sign::State(JobState::Done) />{text}</p> }.into_any(),
        _ => view! { <Notice tone=Tone::Error text /> }.into_any(),
    }
}
