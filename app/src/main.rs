//! The browser client: the route table, and the mount. Knows nothing of SQL, tokio or axum.

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
mod route;
mod session;
mod submission;
mod system_cards;
mod system_feed;
mod theme;
mod url;
mod virtual_rows;
mod wording;

use leptos::prelude::*;

use crate::components::{AdministratorsOnly, Shell};
use crate::pages::{
    EntryPage, JobPage, JobsPage, LabPage, LabRunPage, LoginPage, LogoutPage, NotFoundPage, SetupPage, SystemPage,
    ViewLogPage,
};
use crate::route::Route;

fn main() {
    painted::take_over(|| view! { <App /> });
}

#[component]
fn App() -> impl IntoView {
    let route = context::navigation().route();
    keys::listen();
    view! { <Shell>{move || page(route.get())}</Shell> }
}

fn page(route: Route) -> AnyView {
    match route {
        Route::Entry => view! { <EntryPage /> }.into_any(),
        Route::Login => view! { <LoginPage /> }.into_any(),
        Route::Logout => view! { <LogoutPage /> }.into_any(),
        Route::Setup => view! { <SetupPage /> }.into_any(),
        Route::ViewLog => view! { <AdministratorsOnly page=|| view! { <ViewLogPage /> }.into_any() /> }.into_any(),
        Route::Jobs => view! { <AdministratorsOnly page=|| view! { <JobsPage /> }.into_any() /> }.into_any(),
        Route::Job(id) => view! { <AdministratorsOnly page=move || view! { <JobPage id /> }.into_any() /> }.into_any(),
        Route::System => view! { <AdministratorsOnly page=|| view! { <SystemPage /> }.into_any() /> }.into_any(),
        Route::Lab => view! { <LabPage /> }.into_any(),
        Route::LabRun(id) => view! { <LabRunPage id /> }.into_any(),
        Route::NotFound => view! { <NotFoundPage /> }.into_any(),
    }
}
