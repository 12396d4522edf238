//! Receipts: what became of a search's log record, for whoever holds the receipt.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode, Receipt, ReceiptState};
use async_stream::stream;
use axum::Json;
use axum::extract::State;
use axum::response::sse::Event;
use store::Topic;

use crate::app_state::Environment;
use crate::platform::error::ErrorResponse;
use crate::platform::extract::ReceiptInPath;
use crate::platform::sse::{AFTER_FAILURE, EventStream, Place, event_stream, pause};
use crate::search::accept::receipt_state;

/// Other jobs' changes wake us too; a visitor's eye is served five times a second.
const PAUSE: Duration = Duration::from_millis(200);

pub async fn show(
    State(env): State<Arc<Environment>>,
    ReceiptInPath(receipt): ReceiptInPath,
) -> Result<Json<ReceiptState>, ErrorResponse> {
    Ok(Json(receipt_state(&env, &receipt).await?))
}

/// The state now and whenever it changes, until it is final.
pub async fn events(
    State(env): State<Arc<Environment>>,
    ReceiptInPath(receipt): ReceiptInPath,
    place: Place,
) -> Result<EventStream, ErrorResponse> {
    let mut changes = env.store.subscribe(Topic::Jobs);
    let first = state_in_turn(&env, &receipt).await?;
    let watched = env.clone();
    let events = stream! {
        let mut state = first;
        let mut said = None;
        loop {
            if said.as_ref() != Some(&state) {
                yield Event::default().json_data(&state).expect("a state has a JSON form");
                if state.state.is_final() {
                    break;
                }
                said = Some(state);
            }
            pause(&watched, PAUSE).await;
            changes.changed().await;
            state = loop {
                match state_in_turn(&watched, &receipt).await {
                    Ok(state) => break state,
                    // Its job and its row were deleted meanwhile: there will be nothing to tell.
                    Err(error) if error.code == ErrorCode::NotFound => return,
                    Err(_) => pause(&watched, AFTER_FAILURE).await,
                }
            };
        }
    };
    Ok(event_stream(&env, place, events))
}

async fn state_in_turn(env: &Environment, receipt: &Receipt) -> Result<ReceiptState, ApiError> {
    let _turn = env.event_streams.turn().await;
    receipt_state(env, receipt).await
}
