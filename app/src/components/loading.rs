//! Says that something is on its way; style/components/loading.css keeps it back for 400 ms,
//! because what comes sooner needs no announcement.

use leptos::prelude::*;

#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <p class="loading" role="status">
            <span class="spinner" aria-hidden="true"></span>
            "Loading…"
        </p>
    }
}
