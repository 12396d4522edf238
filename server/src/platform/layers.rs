//! What surrounds every response: headers for browsers, and the time limit of a request. Each stands here as a layer of the
//! router, and as a plain function that the layer calls.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::Clock;

use super::error::Error;
use super::forwarded::{Scheme, TrustedProxies};

const SECURE: [(HeaderName, HeaderValue); 6] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // The address may hold a search. With `no-referrer`, a form that is sent without a script would have no origin.
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// For two years, this host is reached over https only.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000");

pub async fn secure(State(proxies): State<TrustedProxies>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let scheme = proxies.arrival(&mut parts).scheme;
    let mut response = next.run(Request::from_parts(parts, body)).await;
    add_secure(response.headers_mut(), scheme);
    response
}

/// Adds the headers that protect browsers. `scheme` is the one by which the client has come.
pub fn add_secure(headers: &mut HeaderMap, scheme: Option<Scheme>) {
    // One allocation for all of them: a map that grows is hashed anew.
    headers.reserve(SECURE.len() + 2);
    if scheme == Some(Scheme::Https) {
        headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    for (name, value) in SECURE {
        headers.entry(name).or_insert(value);
    }
    // Pages set their own policy. Nothing else may be shown as a page.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
}

const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// API responses are outdated at once, and some are private.
pub async fn never_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    forbid_storing(response.headers_mut());
    response
}

pub fn forbid_storing(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// How long a request may take until its response begins. The body may take longer, as that of an event stream does.
/// Longer than a slow request body (see extract.rs) and a busy database after it.
const LIMIT: Duration = Duration::from_secs(30);

/// Responds with an error if a handler takes too long, and drops the handler. A write that has begun is still
/// completed.
pub async fn answer_in_time(State(clock): State<Arc<dyn Clock>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    in_time(&*clock, &path, next.run(request)).await
}

/// The response to a request for `path`, or an error if it takes too long.
pub async fn in_time(clock: &dyn Clock, path: &str, response: impl Future<Output = Response>) -> Response {
    let time_is_up = clock.sleep_until(clock.steady().after(LIMIT));
    tokio::select! {
        // An answer at the last moment counts.
        biased;
        response = response => response,
        () = time_is_up => {
            tracing::warn!(path = ?path, "a request was not answered in time");
            let message = format!("There was no answer within {} s. Try again in a moment.", LIMIT.as_secs());
            Error::from(ApiError::new(ErrorCode::Unavailable, message)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use api::TimeMs;
    use async_trait::async_trait;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower_service::Service;

    use super::*;

    /// Every sleep returns immediately.
    struct FastClock;

    #[async_trait]
    impl Clock for FastClock {
        fn wall(&self) -> TimeMs {
            TimeMs(0)
        }

        fn steady(&self) -> TimeMs {
            TimeMs(0)
        }

        async fn sleep_until(&self, time: TimeMs) {
            assert_eq!(time, TimeMs(30_000));
        }
    }

    async fn ask(path: &str) -> (StatusCode, String) {
        let clock: Arc<dyn Clock> = Arc::new(FastClock);
        let mut router = Router::new()
            .route("/at-once", get(async || "here"))
            .route("/never", get(pending::<&'static str>))
            .layer(from_fn_with_state(clock, answer_in_time));
        let request = Request::builder().uri(path).body(Body::empty()).expect("well-formed");
        let Ok(response) = router.call(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
        (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    #[tokio::test]
    async fn a_handler_that_never_answers_gets_an_error_response() {
        let (status, body) = ask("/never").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let error: ApiError = serde_json::from_str(&body).expect("an error in our form");
        assert_eq!(error.code, ErrorCode::Unavailable);
    }

    #[tokio::test]
    async fn an_answer_at_the_last_moment_counts() {
        assert_eq!(ask("/at-once").await, (StatusCode::OK, "here".to_owned()));
    }
}
