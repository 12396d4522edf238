//! Reads a request's body, up to the limit and for a limited time.

use std::time::Duration;

use api::{ApiError, ErrorCode};
use axum::body::{Body, BodyDataStream, Bytes};
use futures::StreamExt;
use store::Clock;

/// The largest body of any request, in bytes. A phrase and its letters at their limits fit as our client sends
/// them, and wholly percent-encoded in scripts of up to two bytes a character.
const LIMIT: usize = 64 * 1024;
/// So much of a body that is too large is read and thrown away. Many clients send the whole
/// before they read an answer: to them a connection that is closed early is a broken one, and
/// they never see the refusal.
const DISCARD_LIMIT: usize = 1024 * 1024;
/// However slow the line, 64 KiB are there by then; who is slower only occupies a connection.
/// What remains of the time for an answer (see time_limit.rs) is for the answer itself.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// The whole body.
pub async fn read(body: Body, clock: &dyn Clock) -> Result<Bytes, ApiError> {
    let time_is_up = clock.sleep_until(clock.steady().after(TIME_LIMIT));
    tokio::select! {
        // The body nearly always came with its head: then no timer is set.
        biased;
        bytes = gather(body.into_data_stream()) => bytes,
        () = time_is_up => {
            let message = format!("The body was not there within {} s.", TIME_LIMIT.as_secs());
            Err(ApiError::new(ErrorCode::Malformed, message))
        }
    }
}

async fn gather(mut chunks: BodyDataStream) -> Result<Bytes, ApiError> {
    let mut gathered = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(ErrorCode::Malformed, "The body broke off."))?;
        if gathered.len() + chunk.len() > LIMIT {
            discard(chunks).await;
            let message = format!("The body is larger than {} KiB.", LIMIT / 1024);
            return Err(ApiError::new(ErrorCode::TooLarge, message));
        }
        gathered.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(gathered))
}

async fn discard(mut chunks: BodyDataStream) {
    let mut left = DISCARD_LIMIT;
    while left > 0
        && let Some(Ok(chunk)) = chunks.next().await
    {
        left = left.saturating_sub(chunk.len());
    }
}
