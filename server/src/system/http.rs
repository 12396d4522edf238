//! For machines that watch the service.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use store::within;

use crate::app_state::Environment;
use crate::system;

/// Who asks whether we are ready is not kept waiting for the answer no.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can do its work: the store answers, and it is not about to stop. Where it cannot,
/// the answer names the error and what to do, and nothing of the inside.
pub async fn readyz(State(env): State<Arc<Environment>>) -> (StatusCode, String) {
    if env.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    if env.intake.watch().fault().is_none()
        && let Err(error) = within(&*env.clock, PATIENCE, env.store.ping()).await
    {
        env.intake.watch().failed(error);
    }
    let Some(fault) = env.intake.watch().fault() else { return (StatusCode::OK, "ready\n".to_owned()) };
    let spool = env.intake.spool().state();
    let searches = match spool.fault {
        None => format!("Searches are answered and kept in the spool: {} by now.", spool.records),
        Some(_) => "Searches are answered and not recorded: the spool cannot take them.".to_owned(),
    };
    let kind = fault.error.kind();
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}: {}\n{searches}\n", kind.as_str(), kind.advice()))
}

/// Figures in the text format of Prometheus. Those of a database that does not answer are left out.
pub async fn metrics(State(env): State<Arc<Environment>>) -> Response {
    let gathered = system::gather(&env).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], env.metrics.text(&gathered)).into_response()
}
