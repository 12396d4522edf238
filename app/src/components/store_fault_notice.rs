//! What is wrong with the database, by name, and what its operator should do.

use api::StoreFault;
use leptos::prelude::*;

use crate::components::{Notice, TimeAgo, Tone};
use crate::marking;

#[component]
pub fn StoreFaultNotice(fault: StoreFault) -> impl IntoView {
    let StoreFault { kind, detail, since } = fault;
    view! {
        <div class="store_fault">
            <Notice tone=Tone::Error title=kind.as_str() text=kind.advice()>
                // An alert is read out again when something in it changes: but not at each tick.
                <p class="muted" aria-live="off">"It began "<TimeAgo time=since />"."</p>
                <details class="error_details" aria-live="off">
                    <summary>"What the database said"</summary>
                    <pre tabindex="0">{marking::visible_lines(&detail)}</pre>
                </details>
            </Notice>
        </div>
    }
}
