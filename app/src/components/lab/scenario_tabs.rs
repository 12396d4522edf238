//! The lab's three scenarios; each has its address.

use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::lab::scenario::Scenario;

#[component]
pub fn ScenarioTabs(chosen: Memo<Scenario>) -> impl IntoView {
    let tab = move |scenario: Scenario| {
        let sign = match scenario {
            Scenario::Requests => Sign::Bars,
            Scenario::Database => Sign::Disk,
            Scenario::Trap => Sign::Alert,
        };
        view! {
            <a
                class="lab_tab"
                href=scenario.address()
                aria-current=move || (chosen.get() == scenario).then_some("page")
            >
                <Icon sign />
                <span>
                    <strong>{scenario.name()}</strong>
                    <span class="lab_tab_about">{scenario.about()}</span>
                </span>
            </a>
        }
    };
    view! { <nav class="lab_tabs" aria-label="Scenarios">{Scenario::ALL.map(tab).collect_view()}</nav> }
}
