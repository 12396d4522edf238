//! What every page has: its heading, which is the document's title too; and the page for unknown addresses.

use leptos::html;
use leptos::prelude::*;

use crate::platform::context;
use crate::ui::part::part;
use crate::ui::words;

#[component]
pub fn PageHeading(#[prop(into)] text: Signal<String>) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| document().set_title(&words::title(&text.get())));
    // A screen reader announces the new page when the focus moves to its heading. On the first page the browser does
    // that, and the focus may already be in a field.
    let has_moved = context::router().has_moved();
    Effect::new(move |_| {
        if let Some(heading) = heading.get().filter(|_| has_moved) {
            let _ = heading.focus();
        }
    });
    view! {
        <h1 class="page_heading" tabindex="-1" node_ref=heading>
            {part(move || text.get())}
        </h1>
    }
}

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <div class="page">
            <PageHeading text=words::NO_SUCH_PAGE />
            <div class="empty_state">
                <p>{words::NO_SUCH_PAGE_WHY}</p>
                <a class="button button-primary" href="/">{words::GO_TO_SEARCH}</a>
            </div>
        </div>
    }
}
