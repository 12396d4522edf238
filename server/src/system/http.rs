//! The state of the system: as a server function, as a stream, and for machines that monitor the service.

use std::sync::Arc;
use std::time::Duration;

use api::{Role, SystemApi, SystemState};
use async_trait::async_trait;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use store::{Topic, within};

use super::SystemService;
use super::metrics::{MEDIA_TYPE, render};
use crate::platform::error::Result;
use crate::platform::server_functions::{ApiResult, Call};
use crate::platform::sse::{EventStream, SessionWatch, Source, Step, StreamPermit, Then};

/// Readiness must fail fast.
const READY_WITHIN: Duration = Duration::from_secs(1);
/// A database that has failed is asked again this often, in seconds.
const RETRY_AFTER_S: u16 = 1;
const EVERY: Duration = Duration::from_secs(1);

#[async_trait]
impl SystemApi for Call<SystemService> {
    async fn system(&self) -> ApiResult<SystemState> {
        self.caller.require(Role::Viewer)?;
        Ok(self.service.collect().await.state)
    }
}

/// Sends `state` at once and every second.
pub async fn events(
    State(system): State<Arc<SystemService>>,
    permit: StreamPermit,
    session: SessionWatch,
) -> EventStream {
    let store = system.store.clone();
    let events = permit.watch(&*store, &[], SystemSource(system));
    permit.send(session.over(events))
}

struct SystemSource(Arc<SystemService>);

#[async_trait]
impl Source for SystemSource {
    async fn read(&mut self, _: Option<Topic>) -> Result<Step> {
        let state = self.0.collect().await.state;
        let event = Event::default().event("state").json_data(state).expect("a state has a JSON form");
        Ok(Step { events: vec![event], then: Then::Wait(EVERY) })
    }
}

/// Liveness: the process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness: the store answers, and the process is not stopping. Otherwise the response names the error and what to
/// do, without internals. A process that is ready also names what is wrong, a cause on each line.
pub async fn readyz(State(system): State<Arc<SystemService>>) -> Response {
    let (status, text) = readiness(&system).await;
    let mut response = (status, text).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    }
    response
}

async fn readiness(system: &SystemService) -> (StatusCode, String) {
    if system.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    if system.watch.fault().is_none()
        && let Err(error) = within(&*system.clock, READY_WITHIN, system.store.ping()).await
    {
        system.watch.failed(error);
    }
    let Some(fault) = system.watch.fault() else {
        let causes = system.snapshot().await.state.health.causes;
        let lines = causes.into_iter().map(|cause| cause.sentence + "\n");
        return (StatusCode::OK, std::iter::once("ready\n".to_owned()).chain(lines).collect());
    };
    let spool = system.spool.state();
    let searches = match spool.fault {
        None => format!("Searches are answered and kept in the spool: {} by now.", spool.records),
        Some(_) => "Searches are answered and not recorded: the spool cannot take them.".to_owned(),
    };
    let kind = fault.error.kind();
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}: {}\n{searches}\n", kind.as_str(), kind.advice()))
}

/// Metrics in the text format of Prometheus. If the database does not answer, its figures are left out.
pub async fn metrics(State(system): State<Arc<SystemService>>) -> Response {
    let snapshot = system.collect().await;
    ([(CONTENT_TYPE, MEDIA_TYPE)], render(&system.counters, &snapshot)).into_response()
}
