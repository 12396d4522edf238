//! How full something is, as a bar; `text` says it to those who do not see it.

use leptos::prelude::*;

use crate::gauge::Gauge;

#[component]
pub fn Meter(label: String, text: String, gauge: Gauge) -> impl IntoView {
    let percent = gauge.percent();
    view! {
        <div
            class="meter"
            role="meter"
            data-level=gauge.level.as_str()
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=percent.to_string()
            aria-valuetext=text
        >
            <div class="meter_bar" style:width=format!("{percent}%")></div>
        </div>
    }
}
