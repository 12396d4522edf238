//! The browser client. Knows nothing of SQL, tokio or axum.
//!
//! It is one library and three programs, `search`, `lab` and `console`, each with the pages of one [`Bundle`]. Nothing
//! else is public, so that the compiler finds code that none of them uses.

mod account;
mod audit;
mod jobs;
mod lab;
mod log;
mod platform;
mod search;
mod system;
mod ui;

use api::{Bundle, Route};
use leptos::prelude::*;

use crate::account::access::{AccountMenu, AdministratorsOnly};
use crate::account::login::{LoginPage, LogoutPage};
use crate::account::setup::SetupPage;
use crate::audit::page::AuditPage;
use crate::jobs::detail::JobPage;
use crate::jobs::list::JobsPage;
use crate::lab::page::LabPage;
use crate::lab::run::LabRunPage;
use crate::log::page::LogPage;
use crate::platform::context;
use crate::platform::mount::mount;
use crate::search::draft::Draft;
use crate::search::outbox::Outbox;
use crate::search::page::SearchPage;
use crate::system::page::SystemPage;
use crate::ui::page::NotFoundPage;
use crate::ui::part::part;
use crate::ui::shell::Shell;

/// Shows the pages of [`Bundle::Search`].
pub fn start_search() {
    let draft = Draft::from_preview();
    mount(Bundle::Search, move || {
        draft.keep(&untrack(|| context::router().location()));
        let outbox = Outbox::start();
        view! { <App page=move |route| search_page(route, draft, outbox) /> }
    });
}

/// Shows the pages of [`Bundle::Lab`].
pub fn start_lab() {
    start(Bundle::Lab, lab_page);
}

/// Shows the pages of [`Bundle::Console`].
pub fn start_console() {
    start(Bundle::Console, console_page);
}

fn start(bundle: Bundle, page: fn(Route) -> AnyView) {
    mount(bundle, move || {
        // Searches that were left without an answer are sent from every page.
        let _ = Outbox::start();
        view! { <App page /> }
    });
}

#[component]
fn App(page: impl Fn(Route) -> AnyView + Send + 'static) -> impl IntoView {
    let route = context::router().route();
    let account_menu = view! { <AccountMenu /> }.into_any();
    view! { <Shell account_menu>{part(move || page(route.get()))}</Shell> }
}

fn search_page(route: Route, draft: Draft, outbox: Outbox) -> AnyView {
    match route {
        Route::Entry => view! { <SearchPage draft outbox /> }.into_any(),
        // The other pages are in other bundles.
        _ => view! { <NotFoundPage /> }.into_any(),
    }
}

fn lab_page(route: Route) -> AnyView {
    match route {
        Route::Lab => view! { <LabPage /> }.into_any(),
        Route::LabRun(id) => view! { <LabRunPage id /> }.into_any(),
        _ => view! { <NotFoundPage /> }.into_any(),
    }
}

fn console_page(route: Route) -> AnyView {
    match route {
        Route::Login => view! { <LoginPage /> }.into_any(),
        Route::Logout => view! { <LogoutPage /> }.into_any(),
        Route::Setup => view! { <SetupPage /> }.into_any(),
        Route::ViewLog => view! { <AdministratorsOnly page=|| view! { <LogPage /> }.into_any() /> }.into_any(),
        Route::Jobs => view! { <AdministratorsOnly page=|| view! { <JobsPage /> }.into_any() /> }.into_any(),
        Route::Job(id) => view! { <AdministratorsOnly page=move || view! { <JobPage id /> }.into_any() /> }.into_any(),
        Route::System => view! { <AdministratorsOnly page=|| view! { <SystemPage /> }.into_any() /> }.into_any(),
        Route::Audit => view! { <AdministratorsOnly page=|| view! { <AuditPage /> }.into_any() /> }.into_any(),
        Route::Entry | Route::Lab | Route::LabRun(_) | Route::NotFound => view! { <NotFoundPage /> }.into_any(),
    }
}
