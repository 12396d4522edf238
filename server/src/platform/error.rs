//! The one place where errors become statuses.

use api::{ApiError, ErrorCode};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use store::StoreError;

/// An [`ApiError`] as a response.
pub struct ErrorResponse(pub ApiError);

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        (status(self.0.code), Json(self.0)).into_response()
    }
}

impl From<ApiError> for ErrorResponse {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

pub fn status(code: ErrorCode) -> StatusCode {
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

/// Logs a store's failure for the operator, and makes what the visitor may know of it.
#[must_use]
pub fn from_store(error: StoreError) -> ApiError {
    tracing::error!(%error, "the store failed");
    ApiError::new(ErrorCode::Unavailable, "The database does not answer just now. Try again in a moment.")
}

pub async fn no_such_path() -> ErrorResponse {
    ErrorResponse(ApiError::not_found("path under /api"))
}

pub async fn wrong_method() -> ErrorResponse {
    ErrorResponse(ApiError::new(ErrorCode::WrongMethod, "This path does not take that method."))
}
