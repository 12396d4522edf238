//! Every route.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};

use crate::accounts::guard;
use crate::app_state::Environment;
use crate::platform::server_functions::{form, json, register};
use crate::platform::{assets, error, headers, origin_guard, panics, time_limit};
use crate::{jobs, lab, log, search, system};

/// The whole server, but for the socket.
pub fn router(env: Arc<Environment>) -> Router {
    register();
    Router::new()
        .nest("/api", api(env.clone()))
        // The one path that `nest` leaves to the files.
        .route("/api/", any(error::no_such_path))
        .route("/healthz", get(system::http::healthz))
        .route("/readyz", get(system::http::readyz))
        .route("/metrics", get(system::http::metrics))
        .fallback(assets::file)
        .merge(lab::routes(env.lab.waits.clone()))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn(panics::caught))
        .layer(from_fn_with_state(env.clock.clone(), time_limit::answer_in_time))
        .layer(from_fn(headers::secure))
        .with_state(env)
}

fn api(env: Arc<Environment>) -> Router<Arc<Environment>> {
    Router::new()
        .route("/search", post(form))
        .route("/receipts/{receipt}", get(search::http::show))
        .route("/receipts/{receipt}/events", get(search::http::events))
        .route("/session", post(json))
        .route("/login", post(json))
        .route("/logout", post(json))
        .route("/lab/show", post(json))
        .route("/lab/runs/start", post(json))
        .route("/lab/runs/show", post(json))
        .route("/lab/runs/cancel", post(json))
        .route("/lab/runs/{id}/events", get(lab::http::events))
        .route("/setup", post(json))
        .nest("/admin", admin(env))
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn(origin_guard::refuse_foreign))
        .layer(from_fn(headers::never_stored))
}

/// For those logged in: everything in here passes one guard.
fn admin(env: Arc<Environment>) -> Router<Arc<Environment>> {
    Router::new()
        .route("/log/rows", get(log::http::rows))
        .route("/log/export", get(log::export::http::file))
        .route("/log/events", get(log::http::events))
        .route("/jobs/events", get(jobs::http::events))
        .route("/jobs/counts", post(json))
        .route("/jobs/list", post(json))
        .route("/jobs/show", post(json))
        .route("/jobs/retry", post(json))
        .route("/jobs/cancel", post(json))
        .route("/jobs/kinds", post(json))
        .route("/jobs/pause", post(json))
        .route("/jobs/resume", post(json))
        .route("/jobs/limit", post(json))
        .route("/system/events", get(system::events::events))
        .route("/system/show", post(json))
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(env, guard::require_account))
}
