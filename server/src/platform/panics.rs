//! Turns a handler's panic into an answer.

use std::panic::AssertUnwindSafe;

use api::{ApiError, ErrorCode};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use crate::platform::error::ErrorResponse;

/// Without this a panic would close the connection and take the other requests on it along.
pub async fn caught(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // Nothing of the request is used after a panic, so nothing half-done can be seen.
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(path = ?path, "a handler panicked; the message stands above");
        ErrorResponse(ApiError::new(ErrorCode::Internal, "The server failed. Its log says why.")).into_response()
    })
}
