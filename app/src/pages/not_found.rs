//! Any path that is no page.

use leptos::prelude::*;

use crate::components::PageHeading;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <div class="page page-narrow">
            <PageHeading text="There is no such page" />
            <div class="card empty_state">
                <p>"The address may be mistyped, or the page may have moved."</p>
                <a class="button" href="/">"Go to the search"</a>
            </div>
        </div>
    }
}
