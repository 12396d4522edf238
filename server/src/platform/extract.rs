//! Extracts the path, query and body of a request, and refuses them with our own errors.

use std::time::Duration;

use api::{ApiError, ErrorCode, LETTERS_LIMIT, PHRASE_LIMIT};
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use futures::StreamExt;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use store::Clock;

use super::error::{Error, Result};

/// The query string as a `T`. Like the form codec it rejects invalid UTF-8 instead of replacing it.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        if percent_decode_str(parts.uri.query().unwrap_or_default()).decode_utf8().is_err() {
            return Err(ApiError::new(ErrorCode::Invalid, "The address's query is not UTF-8.").into());
        }
        let Query(parameters) =
            Query::try_from_uri(&parts.uri).map_err(|error| ApiError::new(ErrorCode::Invalid, error.body_text()))?;
        Ok(Self(parameters))
    }
}

/// A variable part of a path.
pub trait PathParameter: Sized {
    /// What is not found if the text is invalid, for instance `job`.
    const NAME: &'static str;

    fn parse(text: String) -> Option<Self>;
}

/// The path's parameter. An invalid text, also one that is not UTF-8, is not found.
pub struct InPath<T>(pub T);

impl<T: PathParameter, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let text = Path::from_request_parts(parts, state).await.ok().map(|Path(text)| text);
        let parameter = text.and_then(T::parse).ok_or_else(|| ApiError::not_found(T::NAME))?;
        Ok(Self(parameter))
    }
}

/// The largest request body, in bytes.
const LIMIT: usize = 136 * 1024;
/// The most bytes that one character takes in a request: `%F0%9F%98%80` in a form, `\ud83d\ude00` in JSON.
const BYTES_OF_A_CHARACTER: usize = 12;
// Whatever the limits in characters allow fits, in any script and encoding, beside the names of the fields and an id.
const _: () = assert!(LIMIT >= BYTES_OF_A_CHARACTER * (PHRASE_LIMIT + LETTERS_LIMIT) + 4 * 1024);
/// How much of an oversized body is read and discarded. Many clients send the whole body before they read the response:
/// if the connection closed earlier, they would never see the error.
const DISCARD_LIMIT: usize = 1024 * 1024;
/// Even a slow line transfers the largest body in this time. The rest of the request's time limit (see layers.rs) is for the
/// handler.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Reads the whole body.
pub async fn read_body(body: Body, clock: &dyn Clock) -> std::result::Result<Bytes, ApiError> {
    let time_is_up = clock.sleep_until(clock.steady().after(TIME_LIMIT));
    tokio::select! {
        // The body usually arrives with the head: then no timer is set.
        biased;
        bytes = collect(body.into_data_stream()) => bytes,
        () = time_is_up => {
            let message = format!("The body was not there within {} s.", TIME_LIMIT.as_secs());
            Err(ApiError::new(ErrorCode::Malformed, message))
        }
    }
}

async fn collect(mut chunks: BodyDataStream) -> std::result::Result<Bytes, ApiError> {
    let mut collected = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(ErrorCode::Malformed, "The body broke off."))?;
        if collected.len() + chunk.len() > LIMIT {
            discard(chunks).await;
            let message = format!("The body is larger than {} KiB.", LIMIT / 1024);
            return Err(ApiError::new(ErrorCode::TooLarge, message));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(collected))
}

async fn discard(mut chunks: BodyDataStream) {
    let mut left = DISCARD_LIMIT;
    while left > 0
        && let Some(Ok(chunk)) = chunks.next().await
    {
        left = left.saturating_sub(chunk.len());
    }
}
