//! The way to a page: links to the pages above it.

use leptos::prelude::*;

use crate::ui::words;

/// A page above: its address and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    pub address: String,
    pub name: &'static str,
}

/// The style sheet puts the slashes between them.
#[component]
pub fn Breadcrumb(#[prop(into)] pages: Signal<Vec<Crumb>>) -> impl IntoView {
    let links = move || {
        let link = |Crumb { address, name }| view! { <a href=address>{name}</a> };
        pages.get().into_iter().map(link).collect_view()
    };
    view! { <nav class="breadcrumb" aria-label=words::PAGES_ABOVE>{links}</nav> }
}
