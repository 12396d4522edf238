//! `accepted` = the places where accepted searches are, each of which leads there.

use api::Ledger;
use leptos::prelude::*;

use crate::components::{CountTab, Sign};
use crate::ledger::Part;
use crate::wording;

#[component]
pub fn LedgerEquation(ledger: Ledger) -> impl IntoView {
    let part = |part: Part| {
        let operator = match part {
            Part::Recorded if ledger.drift() == 0 => "=",
            Part::Recorded => "≠",
            _ => "+",
        };
        view! {
            <li class="ledger_part">
                <span class="ledger_operator">{operator}</span>
                <CountTab
                    address=part.address()
                    word=part.as_str()
                    sign=part.job_state().map_or(Sign::Disk, Sign::State)
                    color=Some(part.color())
                    count=Some(part.count(&ledger))
                />
            </li>
        }
    };
    view! {
        <div class="ledger_equation">
            <p class="ledger_accepted">
                <span class="muted">"accepted"</span>
                <strong>{wording::number(ledger.accepted)}</strong>
            </p>
            <ol class="ledger_parts" aria-label="Where accepted searches are">
                {Part::ALL.map(part).into_iter().collect_view()}
            </ol>
        </div>
    }
}
