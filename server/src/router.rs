//! Every route.

use api::{AccountApi, AuditApi, JobsApi, LabApi, SearchApi, SystemApi};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, any, get};

use crate::accounts::{self, AccountService};
use crate::app_state::AppState;
use crate::audit::AuditService;
use crate::jobs::{self, JobService};
use crate::lab::{self, Lab};
use crate::log;
use crate::platform::direct::Direct;
use crate::platform::server_functions::{Call, routes};
use crate::platform::{assets, error, layers, origin_guard};
use crate::search::{self, SearchService};
use crate::system::{self, SystemService};

/// The whole server, except the socket. Searches are most of what it is asked, and pass none of the layers.
pub fn router(state: AppState) -> Router {
    let searches = Direct {
        function: <dyn SearchApi>::FUNCTIONS.iter().find(|function| function.takes_forms()).expect("a form searches"),
        provide: <dyn SearchApi>::provide::<Call<SearchService>>,
        service: state.search.clone(),
        caller_settings: state.caller_settings.clone(),
        clock: state.clock.clone(),
    };
    searches.or_else(layered(state))
}

/// All routes, searches too, behind all layers.
pub fn layered(state: AppState) -> Router {
    Router::new()
        .nest("/api", api(&state))
        // The one path under /api that `nest` does not match.
        .route("/api/", any(error::no_such_path))
        .route("/healthz", get(system::http::healthz))
        .route("/readyz", get(system::http::readyz))
        .route("/metrics", get(system::http::metrics))
        .route(api::LAB_GUIDE, get(lab::http::guide))
        .route(search::page::PATH, get(search::page::show))
        .fallback(assets::file)
        .merge(lab::routes(state.lab.endpoints.clone()))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn(error::catch_panics))
        .layer(from_fn_with_state(state.clock.clone(), layers::answer_in_time))
        .layer(from_fn_with_state(state.caller_settings.trusted_proxies.clone(), layers::secure))
        .with_state(state)
}

/// The path of the admin API, relative to `/api`.
const ADMIN: &str = "/admin";

fn api(state: &AppState) -> Router<AppState> {
    let mut api = Router::new()
        .route("/receipts/{receipt}", get(search::http::show))
        .route("/receipts/{receipt}/events", get(search::http::events))
        .route("/lab/runs/{id}/events", get(lab::http::events));
    let mut admin = Router::new()
        .route("/log/rows", get(log::http::rows))
        .route("/log/export", get(log::export::http::file))
        .route("/log/events", get(log::http::events))
        .route("/jobs/events", get(jobs::http::events))
        .route("/system/events", get(system::http::events));
    let own = || from_fn_with_state(state.caller_settings.trusted_proxies.clone(), origin_guard::refuse_foreign);
    for (path, route) in server_functions() {
        let path = path.trim_start_matches("/api");
        match path.strip_prefix(ADMIN) {
            Some(path) => admin = admin.route(path, route),
            None => api = api.route(path, route),
        }
    }
    // Around the guard: a form is also refused with a page.
    let mut forms = Router::new();
    let of_forms = <dyn SearchApi>::FUNCTIONS.iter().filter(|function| function.takes_forms());
    for (path, route) in routes(of_forms, <dyn SearchApi>::provide::<Call<SearchService>>) {
        forms = forms.route(path.trim_start_matches("/api"), route);
    }
    let forms =
        forms.method_not_allowed_fallback(error::wrong_method).layer(own()).layer(from_fn(search::page::for_forms));
    // One guard for all of these routes.
    let admin = admin
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(state.clone(), accounts::guard::require_account));
    api.nest(ADMIN, admin)
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(own())
        .merge(forms)
        .layer(from_fn(layers::never_stored))
}

/// The path and the route of each server function, except those that plain forms call.
fn server_functions() -> impl Iterator<Item = (&'static str, MethodRouter<AppState>)> {
    let of_scripts = <dyn SearchApi>::FUNCTIONS.iter().filter(|function| !function.takes_forms());
    routes(<dyn AccountApi>::FUNCTIONS.iter(), <dyn AccountApi>::provide::<Call<AccountService>>)
        .chain(routes(<dyn AuditApi>::FUNCTIONS.iter(), <dyn AuditApi>::provide::<Call<AuditService>>))
        .chain(routes(<dyn JobsApi>::FUNCTIONS.iter(), <dyn JobsApi>::provide::<Call<JobService>>))
        .chain(routes(<dyn SystemApi>::FUNCTIONS.iter(), <dyn SystemApi>::provide::<Call<SystemService>>))
        .chain(routes(<dyn LabApi>::FUNCTIONS.iter(), <dyn LabApi>::provide::<Call<Lab>>))
        .chain(routes(of_scripts, <dyn SearchApi>::provide::<Call<SearchService>>))
}
