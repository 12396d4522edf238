//! Searches as the queue and the log know them: accepting one, and following its receipt.

use std::collections::BTreeSet;

use api::{ApiError, ErrorCode, JobState, Receipt, ReceiptState, Recorded, SearchId};
use queue::{Payload, decode, encode};
use spool::Record;
use store::Accepted;

use crate::app_state::Environment;
use crate::platform::caller::Caller;
use crate::platform::error::from_store;
use crate::search::browser_family::browser_family;
use crate::search::ingest::Taken;
use crate::search::log_request::LogRequest;

/// All that the log is to say of a search, in which `found` was found.
#[must_use]
pub fn log_request(
    env: &Environment,
    caller: &Caller,
    id: SearchId,
    phrase: String,
    letters: String,
    found: &BTreeSet<char>,
) -> LogRequest {
    LogRequest {
        id,
        results: api::set_text(found),
        ip: caller.ip.to_string(),
        browser_family: browser_family(&caller.user_agent),
        user_agent: caller.user_agent.clone(),
        searched_at: env.clock.wall(),
        phrase,
        letters,
    }
}

/// Makes the search's log record durable. Returns what can honestly be said of it.
///
/// Fails only where the id stands for another search already.
pub async fn accept(env: &Environment, request: &LogRequest) -> Result<Recorded, ApiError> {
    let record = Record { search: request.id, searched_at: request.searched_at, payload: encode(request) };
    let (there, is_spooled) = match env.intake.take(record).await {
        Taken::Stored(Accepted::New(_)) => return Ok(Recorded::Accepted),
        Taken::Spooled => return Ok(Recorded::Spooled),
        Taken::Nowhere => return Ok(Recorded::NotRecorded),
        Taken::Stored(Accepted::Queued { payload, .. }) => (question(&payload), false),
        Taken::Stored(Accepted::Recorded(row)) => (Some((row.phrase, row.letters)), false),
        Taken::InSpool(record) => (question(&record.payload), true),
    };
    if there.is_none_or(|(phrase, letters)| phrase != request.phrase || letters != request.letters) {
        let message = "This id stands for another search already. Make a new id for a new search.";
        return Err(ApiError::at(ErrorCode::Conflict, "id", message));
    }
    Ok(if is_spooled { Recorded::Spooled } else { recorded(env, request.id).await })
}

/// The phrase and the letters of a log job. One that cannot be read is not of this release: the
/// safe answer is that it is no search that anybody asks now.
pub fn question(payload: &str) -> Option<(String, String)> {
    decode::<LogRequest>(payload).ok().map(|request| (request.phrase, request.letters))
}

/// What can be said of a search that was asked before, and that the store knows.
async fn recorded(env: &Environment, id: SearchId) -> Recorded {
    let is_given_up = match env.store.position(LogRequest::KIND, &id.to_string()).await {
        Ok(place) => place.is_some_and(|place| matches!(place.state, JobState::Dead | JobState::Cancelled)),
        // The store had it a moment ago: that it cannot be asked more now takes nothing from it.
        Err(_) => false,
    };
    if is_given_up && row_of(env, id).await.is_ok_and(|row| row.is_none()) {
        return Recorded::NotRecorded;
    }
    Recorded::Accepted
}

/// How far the log record of the receipt's search has come.
pub async fn receipt_state(env: &Environment, receipt: &Receipt) -> Result<ReceiptState, ApiError> {
    let not_found = || ApiError::not_found("receipt");
    let search = env.receipts.search(receipt).ok_or_else(not_found)?;
    let place = env.store.position(LogRequest::KIND, &search.to_string()).await;
    if !matches!(place, Ok(Some(_))) && env.intake.spool().find(search).is_some() {
        return Ok(ReceiptState { state: JobState::Waiting, ahead: 0, attempt: 0, row: None, spooled: true });
    }
    let Some(place) = place.map_err(from_store)? else {
        // Finished jobs are pruned after a time; the row stays.
        let row = row_of(env, search).await?.ok_or_else(not_found)?;
        return Ok(ReceiptState { state: JobState::Done, ahead: 0, attempt: 1, row: Some(row), spooled: false });
    };
    let row = if place.state.is_final() { row_of(env, search).await? } else { None };
    Ok(ReceiptState { state: place.state, ahead: place.ahead, attempt: place.attempt, row, spooled: false })
}

async fn row_of(env: &Environment, search: SearchId) -> Result<Option<api::LogSeq>, ApiError> {
    let row = env.store.log_row_of_search(search).await.map_err(from_store)?;
    Ok(row.map(|row| row.seq))
}
