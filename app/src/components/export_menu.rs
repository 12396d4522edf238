//! The log as a file to keep: the rows that the filter matches, or all.

use leptos::prelude::*;

use crate::url;

#[component]
pub fn ExportMenu(
    /// As it was typed.
    #[prop(into)]
    filter: Signal<Option<String>>,
) -> impl IntoView {
    let address = move |format| {
        url::with_query("/api/admin/log/export", &[("format", Some(format)), ("q", filter.get().as_deref())])
    };
    let what = move || if filter.with(Option::is_some) { "matching rows" } else { "all rows" };
    view! {
        <div class="export_menu" role="group" aria-label="Export">
            <span class="muted">{move || format!("Export {}", what())}</span>
            <a href=move || address("csv") download="" aria-label=move || format!("CSV of {}", what())>"CSV"</a>
            <a href=move || address("ndjson") download="" aria-label=move || format!("NDJSON of {}", what())>"NDJSON"</a>
        </div>
    }
}
