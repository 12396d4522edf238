//! What stands in a request's address, with our own errors where it cannot be read.

use api::{ApiError, ErrorCode, LabRunId, Receipt};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::platform::error::ErrorResponse;

/// The query string as a `T`. Like the form codec, it takes no bytes for a text that are none: replaced by others,
/// they would ask for something else.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ErrorResponse> {
        if percent_decode_str(parts.uri.query().unwrap_or_default()).decode_utf8().is_err() {
            return Err(ErrorResponse(ApiError::new(ErrorCode::Invalid, "The address's query is not UTF-8.")));
        }
        let Query(parameters) = Query::try_from_uri(&parts.uri)
            .map_err(|error| ErrorResponse(ApiError::new(ErrorCode::Invalid, error.body_text())))?;
        Ok(Self(parameters))
    }
}

/// The receipt in the path. One that is not even a text is, like any other that is none, not found.
pub struct ReceiptInPath(pub Receipt);

/// The id of a run of the lab in the path; one that is no id is not found.
pub struct LabRunInPath(pub LabRunId);

impl<S: Send + Sync> FromRequestParts<S> for ReceiptInPath {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorResponse> {
        let receipt = text_in_path(parts, state).await.ok_or_else(|| ApiError::not_found("receipt"))?;
        Ok(Self(Receipt(receipt)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LabRunInPath {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorResponse> {
        let id = text_in_path(parts, state).await.and_then(|id| id.parse().ok());
        Ok(Self(id.ok_or_else(|| ApiError::not_found("run"))?))
    }
}

async fn text_in_path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    Path::from_request_parts(parts, state).await.ok().map(|Path(text)| text)
}
