//! For machines that watch the service.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::from_store;
use crate::environment::Environment;

/// The process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can do its work: the store answers, and it is not about to stop.
pub async fn readyz(State(env): State<Arc<Environment>>) -> (StatusCode, &'static str) {
    if env.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match env.store.ping().await.map_err(from_store) {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

/// Figures in the text format of Prometheus.
pub async fn metrics(State(env): State<Arc<Environment>>) -> Response {
    let figures = tokio::try_join!(env.store.job_counts(), env.store.last_log_seq()).map_err(from_store);
    match figures {
        Ok((jobs, last)) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], env.metrics.text(&jobs, last.0)).into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}
