//! What the lab's requests ask for: answers that take their time.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode, LATENCY_LIMIT_MS};
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::platform::error::Error;
use crate::platform::extract::Parameters;
use crate::platform::random::Random;

/// So many requests wait here at the same time: as many as one run may make, and what hides in rounding.
const PLACES: usize = api::REQUESTS_LIMIT as usize + 24;
/// How long a number takes where the request does not say.
const SECOND_MS: u32 = 2_000;
/// How long a flag takes where the request does not say, and by how much it differs from this.
const FLAG_MS: (u32, u32) = (250, 100);

/// What all of the endpoints' requests share.
pub struct Waits {
    closed: Option<&'static str>,
    places: Semaphore,
    random: Random,
}

impl Waits {
    /// `closed` says why there is nothing to wait for here; none where there is.
    #[must_use]
    pub fn new(closed: Option<&'static str>, random: Random) -> Arc<Self> {
        Arc::new(Self { closed, places: Semaphore::new(PLACES), random })
    }

    /// To be held while a request waits: so nobody can tie up the server by asking for much and slowly.
    fn place(&self) -> Result<SemaphorePermit<'_>, NoPlace> {
        if let Some(closed) = self.closed {
            return Err(NoPlace::Closed(closed));
        }
        self.places.try_acquire().map_err(|_| NoPlace::Full)
    }

    /// Waits for the latency, give or take the jitter.
    async fn wait(&self, latency: Latency) {
        let spread = (self.random.jitter() * 2.0 - 1.0) * f64::from(latency.jitter_ms);
        let wait = Duration::from_secs_f64((f64::from(latency.latency_ms) + spread).max(0.0) / 1_000.0);
        tokio::time::sleep(wait).await;
    }
}

/// Why a request is not let wait here.
enum NoPlace {
    Closed(&'static str),
    Full,
}

impl IntoResponse for NoPlace {
    fn into_response(self) -> Response {
        match self {
            Self::Closed(why) => Error::from(ApiError::new(ErrorCode::NotFound, why)).into_response(),
            Self::Full => {
                let message = format!("{PLACES} requests wait in the lab already. Try again in a moment.");
                let error = Error::from(ApiError::new(ErrorCode::Unavailable, message));
                ([(RETRY_AFTER, HeaderValue::from_static("1"))], error).into_response()
            }
        }
    }
}

/// `GET /lab/second` and `GET /lab/flags/{cc}.svg`.
pub fn routes<S>(waits: Arc<Waits>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/lab/second", get(second)).route("/lab/flags/{file}", get(flag)).with_state(waits)
}

/// How long an answer is to take; what is not said is as usual for what is asked.
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
    fn or(self, latency_ms: u32, jitter_ms: u32) -> Result<Latency, Error> {
        let latency = Latency {
            latency_ms: self.latency_ms.unwrap_or(latency_ms),
            // One who says how long it takes and no more wants it to take so long.
            jitter_ms: self.jitter_ms.unwrap_or(if self.latency_ms.is_some() { 0 } else { jitter_ms }),
        };
        for (field, value, most) in
            [("latency_ms", latency.latency_ms, LATENCY_LIMIT_MS), ("jitter_ms", latency.jitter_ms, latency.latency_ms)]
        {
            if value > most {
                let message = format!("Choose {most} ms at most: {value} is more.");
                return Err(Error::from(ApiError::at(ErrorCode::Invalid, field, message)));
            }
        }
        Ok(latency)
    }
}

#[derive(Serialize)]
struct Second {
    second: u32,
}

/// A number from 1 to 100, after a while.
async fn second(State(waits): State<Arc<Waits>>, Parameters(wanted): Parameters<Wanted>) -> Result<Response, Response> {
    let latency = wanted.or(SECOND_MS, 0).map_err(IntoResponse::into_response)?;
    let _place = waits.place().map_err(IntoResponse::into_response)?;
    waits.wait(latency).await;
    let second = u32::from_le_bytes(waits.random.bytes()) % 100 + 1;
    Ok(([(CACHE_CONTROL, "no-store")], Json(Second { second })).into_response())
}

/// A country's flag, after a while.
async fn flag(
    State(waits): State<Arc<Waits>>,
    Path(file): Path<String>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response, Response> {
    let latency = wanted.or(FLAG_MS.0, FLAG_MS.1).map_err(IntoResponse::into_response)?;
    let _place = waits.place().map_err(IntoResponse::into_response)?;
    waits.wait(latency).await;
    // One that there is not takes its time too: the lab's failures wait like its successes.
    let flag = file.strip_suffix(".svg").and_then(lab::flag);
    let flag = flag.ok_or_else(|| Error::from(ApiError::not_found("flag")).into_response())?;
    Ok(([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "private, max-age=3600")], flag).into_response())
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
        routes(Waits::new(None, Random::from_source(move |bytes| bytes.fill(fill))))
    }

    #[test]
    fn who_does_not_say_how_long_waits_as_usual() {
        let latency = |latency_ms, jitter_ms| {
            let latency = Wanted { latency_ms, jitter_ms }.or(250, 100).unwrap_or_else(|_| panic!("within bounds"));
            (latency.latency_ms, latency.jitter_ms)
        };
        assert_eq!(latency(None, None), (250, 100));
        assert_eq!(latency(Some(10_000), None), (10_000, 0));
        assert_eq!(latency(None, Some(5)), (250, 5));
        assert_eq!(latency(Some(7), Some(7)), (7, 7));
    }

    #[tokio::test]
    async fn a_number_takes_no_less_than_was_asked_for() {
        for (path, least_ms, fill, expected) in [
            ("/lab/second?latency_ms=40", 40, 0, r#"{"second":1}"#),
            ("/lab/second?latency_ms=40", 40, 255, r#"{"second":96}"#),
            // The least jitter takes it all away, the most doubles it.
            ("/lab/second?latency_ms=40&jitter_ms=40", 0, 0, r#"{"second":1}"#),
            ("/lab/second?latency_ms=40&jitter_ms=40", 79, 255, r#"{"second":96}"#),
        ] {
            let began = tokio::time::Instant::now();
            assert_eq!(ask(&mut router(fill), path).await, (StatusCode::OK, expected.to_owned()), "{path}");
            assert!(began.elapsed() >= Duration::from_millis(least_ms), "{path}: {:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn flags_are_pictures_and_others_are_not_found() {
        let (status, svg) = ask(&mut router(0), "/lab/flags/br.svg?latency_ms=0").await;
        assert_eq!(status, StatusCode::OK);
        assert!(svg.starts_with("<svg"), "{svg}");
        for path in ["/lab/flags/xx.svg", "/lab/flags/br.png", "/lab/flags/br", "/lab/flags/..%2fbr.svg"] {
            let path = format!("{path}?latency_ms=0");
            assert_eq!(ask(&mut router(0), &path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn nobody_makes_the_server_wait_for_long() {
        for path in ["/lab/second?latency_ms=10001", "/lab/second?latency_ms=5&jitter_ms=6", "/lab/second?latency_ms=x"]
        {
            let (status, body) = ask(&mut router(0), path).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
        }
    }

    #[tokio::test]
    async fn a_closed_lab_says_how_to_open_it() {
        let mut router = routes(Waits::new(Some("Start it with --lab on."), Random::system()));
        for path in ["/lab/second", "/lab/flags/br.svg"] {
            let (status, body) = ask(&mut router, path).await;
            assert!(status == StatusCode::NOT_FOUND && body.contains("--lab on"), "{path}: {status} {body}");
        }
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_is_told_so_at_once() {
        let waits = Waits::new(None, Random::system());
        let mut router = routes(waits.clone());
        let taken = waits.places.try_acquire_many(u32::try_from(PLACES).expect("few")).expect("all are free");
        assert_eq!(ask(&mut router, "/lab/second").await.0, StatusCode::SERVICE_UNAVAILABLE);
        drop(taken);
        assert_eq!(ask(&mut router, "/lab/second?latency_ms=0").await.0, StatusCode::OK);
    }
}
