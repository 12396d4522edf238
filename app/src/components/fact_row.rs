//! One fact in a list of them: what it is, how much, and how full that is.

use leptos::prelude::*;

use crate::components::{Meter, TimeAgo};
use crate::system_cards::{Fact, Value};

#[component]
pub fn FactRow(fact: Fact) -> impl IntoView {
    let Fact { label, value, gauge } = fact;
    let (text, time) = match value {
        Value::Text(text) => (text, None),
        Value::Age(None) => ("–".to_owned(), None),
        Value::Age(time) => (String::new(), time),
    };
    let meter = gauge.map(|gauge| view! { <dd><Meter label=label.to_string() text=text.clone() gauge /></dd> });
    view! {
        <div class="fact_row">
            <dt>{label}</dt>
            <dd>{text}{time.map(|time| view! { <TimeAgo time /> })}</dd>
            {meter}
        </div>
    }
}
