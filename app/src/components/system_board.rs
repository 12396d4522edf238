//! All that is known of the system. Drawn again as a whole when any of it has changed, which touches
//! only what differs: so it needs no signal of its own for each of its hundred figures.

use api::SystemState;
use leptos::prelude::*;

use crate::components::{HealthBanner, LedgerCard, StoreFaultNotice, SystemCard, WorkerTable};
use crate::system_cards::{self, Card};

#[component]
pub fn SystemBoard(state: SystemState) -> impl IntoView {
    let column = |cards: Vec<Card>| {
        let cards = cards.into_iter().map(|card| view! { <SystemCard card /> });
        view! { <div class="system_column">{cards.collect_view()}</div> }
    };
    let columns = system_cards::of(&state).into_iter().map(column).collect_view();
    view! {
        <HealthBanner health=state.health />
        {state.fault.map(|fault| view! { <StoreFaultNotice fault /> })}
        <LedgerCard ledger=state.ledger missing=state.missing />
        <WorkerTable workers=state.workers />
        <div class="system_board">{columns}</div>
    }
}
