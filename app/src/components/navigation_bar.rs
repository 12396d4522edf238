//! The way to the other pages; those for administrators appear for administrators.

use api::Route;
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::context;

#[component]
pub fn NavigationBar() -> impl IntoView {
    let session = context::session();
    view! {
        <nav class="navigation_bar" aria-label="Pages">
            <PageLink href="/" word="Search" sign=Sign::Search is_here=|route| route == Route::Entry />
            <PageLink
                href="/lab"
                word="Lab"
                sign=Sign::Flask
                is_here=|route| matches!(route, Route::Lab | Route::LabRun(_))
            />
            {move || session.account().map(|_| view! {
                <PageLink href="/viewlog" word="Log" sign=Sign::List is_here=|route| route == Route::ViewLog />
                <PageLink
                    href="/jobs"
                    word="Jobs"
                    sign=Sign::Stack
                    is_here=|route| matches!(route, Route::Jobs | Route::Job(_))
                />
                <PageLink href="/system" word="System" sign=Sign::Pulse is_here=|route| route == Route::System />
            })}
        </nav>
    }
}

#[component]
fn PageLink(href: &'static str, word: &'static str, sign: Sign, is_here: fn(Route) -> bool) -> impl IntoView {
    let route = context::navigation().route();
    view! {
        <a class="page_link" href=href aria-current=move || is_here(route.get()).then_some("page")>
            <Icon sign />
            <span>{word}</span>
        </a>
    }
}
