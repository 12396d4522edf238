//! The heading of a page, which is its document's title too.

use leptos::html;
use leptos::prelude::*;

use crate::context;

#[component]
pub fn PageHeading(#[prop(into)] text: Signal<String>) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| document().set_title(&format!("{} · search4letters", text.get())));
    // Whoever comes from another page of ours hears where they are. At the first page the
    // browser says it, and the focus may already stand in a field.
    let has_moved = context::navigation().has_moved();
    Effect::new(move |_| {
        if let Some(heading) = heading.get().filter(|_| has_moved) {
            let _ = heading.focus();
        }
    });
    view! {
        <h1 class="page_heading" tabindex="-1" node_ref=heading>
            {move || text.get()}
        </h1>
    }
}
