//! The endpoints that the lab's runs request. They respond after a chosen time.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use api::{ApiError, ErrorCode, LATENCY_LIMIT_MS};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::platform::error::Error;
use crate::platform::extract::Parameters;
use crate::platform::random::Random;

/// How many requests may wait at once: as many as one run may make, and a small margin.
const PERMITS: usize = api::REQUESTS_LIMIT as usize + 24;
/// How many connections may arrive at once: one for each request of a run.
const LOOPBACK_BACKLOG: u32 = 2_048;
/// How long a number takes by default.
const SECOND: Latency = Latency { latency_ms: 2_000, jitter_ms: 0 };
/// How long a flag takes by default.
const FLAG: Latency = Latency { latency_ms: 250, jitter_ms: 100 };

/// Shared by all requests to the endpoints.
pub struct Endpoints {
    closed: Option<&'static str>,
    permits: Semaphore,
    random: Random,
}

impl Endpoints {
    /// `closed` says why the lab is closed. `None` if it is open.
    pub fn new(closed: Option<&'static str>, random: Random) -> Arc<Self> {
        Arc::new(Self { closed, permits: Semaphore::new(PERMITS), random })
    }

    /// Waits for the wanted latency, give or take the jitter. Fails if it is out of bounds, if the lab is closed, or if
    /// too many requests wait already: slow requests must not tie up the server.
    async fn wait(&self, wanted: Wanted, default: Latency) -> Result<(), Response> {
        let latency = wanted.or(default).map_err(|error| Error::from(error).into_response())?;
        if let Some(closed) = self.closed {
            return Err(refusal(ErrorCode::NotFound, closed));
        }
        let Ok(_permit) = self.permits.try_acquire() else {
            let message = format!("{PERMITS} requests wait in the lab already. Try again in a moment.");
            return Err(([(RETRY_AFTER, "1")], refusal(ErrorCode::Unavailable, message)).into_response());
        };
        let spread = (self.random.jitter() * 2.0 - 1.0) * f64::from(latency.jitter_ms);
        let wait = Duration::from_secs_f64((f64::from(latency.latency_ms) + spread).max(0.0) / 1_000.0);
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

fn refusal(code: ErrorCode, message: impl Into<String>) -> Response {
    Error::from(ApiError::new(code, message)).into_response()
}

/// `GET /lab/second` and `GET /lab/flags/{cc}.svg`.
pub fn routes<S>(endpoints: Arc<Endpoints>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/lab/second", get(second)).route("/lab/flags/{file}", get(flag)).with_state(endpoints)
}

/// The requested latency of a response.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Wanted {
    latency_ms: Option<u32>,
    jitter_ms: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Latency {
    latency_ms: u32,
    jitter_ms: u32,
}

impl Wanted {
    fn or(self, default: Latency) -> Result<Latency, ApiError> {
        let latency_ms = self.latency_ms.unwrap_or(default.latency_ms);
        // A request with only a latency wants exactly that.
        let jitter_ms = self.jitter_ms.unwrap_or(if self.latency_ms.is_some() { 0 } else { default.jitter_ms });
        for (field, value, most) in [("latency_ms", latency_ms, LATENCY_LIMIT_MS), ("jitter_ms", jitter_ms, latency_ms)]
        {
            if value > most {
                let message = format!("Choose {most} ms at most: {value} is more.");
                return Err(ApiError::at(ErrorCode::Invalid, field, message));
            }
        }
        Ok(Latency { latency_ms, jitter_ms })
    }
}

#[derive(Serialize)]
struct Second {
    second: u32,
}

/// A number from 1 to 100, after the latency.
async fn second(
    State(endpoints): State<Arc<Endpoints>>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response, Response> {
    endpoints.wait(wanted, SECOND).await?;
    let second = u32::from_le_bytes(endpoints.random.bytes()) % 100 + 1;
    Ok(([(CACHE_CONTROL, "no-store")], Json(Second { second })).into_response())
}

/// A country's flag, after the latency.
async fn flag(
    State(endpoints): State<Arc<Endpoints>>,
    Path(file): Path<String>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response, Response> {
    endpoints.wait(wanted, FLAG).await?;
    // A missing flag takes as long as an existing one.
    let flag = file.strip_suffix(".svg").and_then(lab::flag);
    let flag = flag.ok_or_else(|| Error::from(ApiError::not_found("flag")).into_response())?;
    Ok(([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "private, max-age=3600")], flag).into_response())
}

/// Serves the endpoints on a port of 127.0.0.1. Its own thread and runtime keep it from disturbing measurements.
/// Dropping it closes all its connections.
pub struct LoopbackServer {
    address: SocketAddr,
    _stop: DropGuard,
}

impl LoopbackServer {
    pub fn start(random: Random) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(LOOPBACK_BACKLOG)?
        };
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        thread::Builder::new().name("lab-server".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let serving = axum::serve(listener, routes(Endpoints::new(None, random))).into_future();
                tokio::select! {
                    () = stopped => {}
                    ended = serving => drop(ended),
                }
            });
        })?;
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower_service::Service;

    use super::*;

    async fn ask(router: &mut Router, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).expect("well-formed");
        let Ok(response) = router.call(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
        (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    fn router(fill: u8) -> Router {
        routes(Endpoints::new(None, Random::from_source(move |bytes| bytes.fill(fill))))
    }

    #[test]
    fn latency_and_jitter_have_defaults() {
        let latency = |latency_ms, jitter_ms| {
            let latency = Wanted { latency_ms, jitter_ms }.or(FLAG).expect("within bounds");
            (latency.latency_ms, latency.jitter_ms)
        };
        assert_eq!(latency(None, None), (250, 100));
        assert_eq!(latency(Some(10_000), None), (10_000, 0));
        assert_eq!(latency(None, Some(5)), (250, 5));
        assert_eq!(latency(Some(7), Some(7)), (7, 7));
    }

    #[tokio::test]
    async fn a_number_takes_at_least_its_latency() {
        for (path, least_ms, fill, expected) in [
            ("/lab/second?latency_ms=40", 40, 0, r#"{"second":1}"#),
            ("/lab/second?latency_ms=40", 40, 255, r#"{"second":96}"#),
            // The least jitter removes the latency, the most doubles it.
            ("/lab/second?latency_ms=40&jitter_ms=40", 0, 0, r#"{"second":1}"#),
            ("/lab/second?latency_ms=40&jitter_ms=40", 79, 255, r#"{"second":96}"#),
        ] {
            let began = tokio::time::Instant::now();
            assert_eq!(ask(&mut router(fill), path).await, (StatusCode::OK, expected.to_owned()), "{path}");
            assert!(began.elapsed() >= Duration::from_millis(least_ms), "{path}: {:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn a_request_without_a_permit_is_refused_at_once() {
        let endpoints = Endpoints::new(None, Random::system());
        let mut router = routes(endpoints.clone());
        let taken = endpoints.permits.try_acquire_many(u32::try_from(PERMITS).expect("few")).expect("all are free");
        assert_eq!(ask(&mut router, "/lab/second").await.0, StatusCode::SERVICE_UNAVAILABLE);
        drop(taken);
        assert_eq!(ask(&mut router, "/lab/second?latency_ms=0").await.0, StatusCode::OK);
    }
}
