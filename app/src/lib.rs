//! The browser client: the route tables, and the mount. Knows nothing of SQL, tokio or axum.
//!
//! It is one library and two programs, `search` and `console`, each with the pages of one [`Bundle`]. Nothing else is
//! public, so that what neither of them needs is found as dead code.

mod components;
mod context;
mod draft;
mod gauge;
mod job_commands;
mod job_feed;
mod keys;
mod kind_commands;
mod lab;
mod ledger;
mod live;
mod log_book;
mod log_feed;
mod marking;
mod moment;
mod navigation;
mod ndjson;
mod pages;
mod painted;
mod receipt;
mod session;
mod submission;
mod system_cards;
mod system_feed;
mod theme;
mod url;
mod virtual_rows;
mod wording;

use api::{Bundle, Route};
use leptos::prelude::*;

use crate::components::{AdministratorsOnly, Shell};
use crate::pages::{
    EntryPage, JobPage, JobsPage, LabPage, LabRunPage, LoginPage, LogoutPage, NotFoundPage, SetupPage, SystemPage,
    ViewLogPage,
};

/// Shows the pages of [`Bundle::Search`].
pub fn start_search() {
    painted::take_over(Bundle::Search, || {
        context::draft().keep(&untrack(|| context::navigation().place()));
        view! { <App page=search_page /> }
    });
}

/// Shows the pages of [`Bundle::Console`].
pub fn start_console() {
    painted::take_over(Bundle::Console, || view! { <App page=console_page /> });
}

#[component]
fn App(page: fn(Route) -> AnyView) -> impl IntoView {
    let route = context::navigation().route();
    keys::listen();
    view! { <Shell>{move || page(route.get())}</Shell> }
}

fn search_page(route: Route) -> AnyView {
    match route {
        Route::Entry => view! { <EntryPage /> }.into_any(),
        // The pages of the other bundle are none of this one.
        _ => view! { <NotFoundPage /> }.into_any(),
    }
}

fn console_page(route: Route) -> AnyView {
    match route {
        Route::Login => view! { <LoginPage /> }.into_any(),
        Route::Logout => view! { <LogoutPage /> }.into_any(),
        Route::Setup => view! { <SetupPage /> }.into_any(),
        Route::ViewLog => view! { <AdministratorsOnly page=|| view! { <ViewLogPage /> }.into_any() /> }.into_any(),
        Route::Jobs => view! { <AdministratorsOnly page=|| view! { <JobsPage /> }.into_any() /> }.into_any(),
        Route::Job(id) => view! { <AdministratorsOnly page=move || view! { <JobPage id /> }.into_any() /> }.into_any(),
        Route::System => view! { <AdministratorsOnly page=|| view! { <SystemPage /> }.into_any() /> }.into_any(),
        Route::Lab => view! { <LabPage /> }.into_any(),
        Route::LabRun(id) => view! { <LabRunPage id /> }.into_any(),
        Route::Entry | Route::NotFound => view! { <NotFoundPage /> }.into_any(),
    }
}
