//! What every page has: its heading, which is the document's title too; and the page for unknown addresses.

use leptos::html;
use leptos::prelude::*;

use crate::platform::context;
use crate::platform::effect::effect;
use crate::ui::part::part;
use crate::ui::words;

#[component]
pub fn PageHeading(
    #[prop(into)] text: Signal<String>,
    /// The document's title, where the heading alone would not say enough.
    #[prop(optional, into)]
    title: Option<Signal<String>>,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    let title = title.unwrap_or(text);
    effect(move || document().set_title(&words::title(&title.get())));
    // A screen reader announces the new page when the focus moves to its heading. On the first page the browser does
    // that, and the focus may already be in a field.
    let has_moved = context::router().has_moved();
    effect(move || {
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

/// The most characters of an unknown address that are shown.
const SHOWN_PATH: usize = 60;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    let router = context::router();
    let path = move || {
        let path = router.location().path;
        match path.char_indices().nth(SHOWN_PATH) {
            Some((end, _)) => format!("{}…", &path[..end]),
            None => path,
        }
    };
    view! {
        <div class="page not_found">
            <p>"404"</p>
            <PageHeading text=words::NO_SUCH_PAGE />
            <p class="muted">
                {words::NOTHING_AT[0]}<code translate="no">{part(path)}</code>{words::NOTHING_AT[1]}
            </p>
            <p>
                <a class="button button-primary" href="/">{words::GO_TO_SEARCH}</a>
                <a class="button" href="/lab">{words::SEE_THE_LAB}</a>
            </p>
        </div>
    }
}
