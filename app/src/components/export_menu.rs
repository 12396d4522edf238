//! The log as a file to keep. Both files hold all rows, whatever the filter shows.

use leptos::prelude::*;

#[component]
pub fn ExportMenu() -> impl IntoView {
    view! {
        <div class="export_menu" role="group" aria-label="Export the whole log">
            <span class="muted">"Export all"</span>
            <a href="/api/admin/log/export?format=csv" download="" aria-label="CSV of all rows">"CSV"</a>
            <a href="/api/admin/log/export?format=ndjson" download="" aria-label="NDJSON of all rows">"NDJSON"</a>
        </div>
    }
}
