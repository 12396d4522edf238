//! The flag that a request has brought; its place is kept until then.

use api::COUNTRIES;
use leptos::prelude::*;

#[component]
pub fn Flag(
    /// The country's code, as the request names it.
    #[prop(into)]
    code: Signal<String>,
    #[prop(into)] is_there: Signal<bool>,
) -> impl IntoView {
    let code = move || {
        let code = code.get();
        COUNTRIES.into_iter().find(|country| is_there.get() && code == *country)
    };
    let code = Memo::new(move |_| code());
    // Served without the wait that the run has had for it.
    let picture = move || {
        let address = format!("/lab/flags/{}.svg?latency_ms=0", code.get()?.to_ascii_lowercase());
        Some(view! { <img class="flag_picture" src=address alt="" width="24" height="16" /> })
    };
    view! { <span class="flag">{picture}</span> }
}
