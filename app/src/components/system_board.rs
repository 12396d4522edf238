//! All that is known of the system. Drawn again as a whole when any of it has changed, which touches
//! only what differs: so it needs no signal of its own for each of its hundred figures.

use api::SystemState;
use leptos::prelude::*;

use crate::components::{HealthBanner, LedgerCard, StoreFaultNotice, SystemCard};
use crate::system_cards;

#[component]
pub fn SystemBoard(state: SystemState) -> impl IntoView {
    let cards = system_cards::of(&state).map(|card| view! { <SystemCard card /> });
    view! {
        <HealthBanner health=state.health />
        {state.fault.map(|fault| view! { <StoreFaultNotice fault /> })}
        <LedgerCard ledger=state.ledger missing=state.missing />
        <div class="system_board">{cards.into_iter().collect_view()}</div>
    }
}
