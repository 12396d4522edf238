//! The server's error, and the one place where errors become log lines, messages and statuses.

use std::panic::AssertUnwindSafe;

use api::{ApiError, ErrorCode};
use axum::Json;
use axum::extract::Request;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use store::StoreError;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// May be shown to the client.
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// The details are for the log only.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub type Result<T> = std::result::Result<T, Error>;

/// Logs a store error, and gives the client a general message.
impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(error) => error,
            Error::Store(error) => {
                tracing::error!(%error, "the store failed");
                Self::new(ErrorCode::Unavailable, "The database does not answer just now. Try again in a moment.")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        response(ApiError::from(self))
    }
}

/// How long to wait after a refusal that does not say it, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// Names what opens a session. It is not a scheme for which browsers ask for a password themselves.
const HOW_TO_LOG_IN: HeaderValue = HeaderValue::from_static("Cookie realm=\"search4letters\", form-action=\"/login\"");

pub(crate) fn response(error: ApiError) -> Response {
    let status = status(error.code);
    let retry_after_s = error.retry_after_s.unwrap_or(RETRY_AFTER_S);
    let mut response = (status, Json(error)).into_response();
    match status {
        StatusCode::UNAUTHORIZED => drop(response.headers_mut().insert(WWW_AUTHENTICATE, HOW_TO_LOG_IN)),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            response.headers_mut().insert(RETRY_AFTER, retry_after_s.into());
        }
        _ => {}
    }
    response
}

pub(crate) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Malformed | ErrorCode::Missing | ErrorCode::Repeated | ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::SignedOut | ErrorCode::WrongCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::Expired => StatusCode::GONE,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::TooLong => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Internal | ErrorCode::Offline => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(crate) async fn no_such_path() -> Error {
    ApiError::not_found("path under /api").into()
}

pub(crate) async fn wrong_method() -> Error {
    ApiError::new(ErrorCode::WrongMethod, "This path does not take that method.").into()
}

/// The client's error when the details are only in the log.
pub(crate) fn internal() -> ApiError {
    ApiError::new(ErrorCode::Internal, "The server failed. Its log says why.")
}

/// Turns a handler's panic into a response. Otherwise it would close the connection and fail all other requests on it.
pub(crate) async fn catch_panics(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    without_panic(&path, next.run(request)).await
}

/// The response to a request for `path`, or an error if its handler panics.
pub(crate) async fn without_panic(path: &str, response: impl Future<Output = Response>) -> Response {
    // Nothing of the request is used after a panic, so nothing half-done can be seen.
    AssertUnwindSafe(response).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(path = ?path, "a handler panicked; its message is above");
        Error::from(internal()).into_response()
    })
}
