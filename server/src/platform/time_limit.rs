//! No request is answered later than this, whatever its handler waits for.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::Clock;

use crate::platform::error::ErrorResponse;

/// Until an answer's head is there: how long its body takes, an event stream's for instance, is
/// not limited here. Longer than a slow body may take (see body.rs) and a busy database after it.
const LIMIT: Duration = Duration::from_secs(30);

/// What the handler was doing is broken off. A write that has begun is still done.
pub async fn answer_in_time(State(clock): State<Arc<dyn Clock>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let time_is_up = clock.sleep_until(clock.steady().after(LIMIT));
    tokio::select! {
        // An answer that is there in the last moment is an answer.
        biased;
        response = next.run(request) => response,
        () = time_is_up => {
            tracing::warn!(path = ?path, "a request was not answered in time");
            let message = format!("There was no answer within {} s. Try again in a moment.", LIMIT.as_secs());
            ErrorResponse(ApiError::new(ErrorCode::Unavailable, message)).into_response()
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

    /// Every time is reached at once.
    struct Impatient;

    #[async_trait]
    impl Clock for Impatient {
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
        let clock: Arc<dyn Clock> = Arc::new(Impatient);
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
    async fn a_handler_that_never_answers_is_answered_for() {
        let (status, body) = ask("/never").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let error: ApiError = serde_json::from_str(&body).expect("an error in our form");
        assert_eq!(error.code, ErrorCode::Unavailable);
    }

    #[tokio::test]
    async fn an_answer_in_the_last_moment_is_the_answer() {
        assert_eq!(ask("/at-once").await, (StatusCode::OK, "here".to_owned()));
    }
}
