//! Searches as the queue and the log know them: accepting one, and following its receipt.

use api::{ApiError, ErrorCode, JobState, Receipt, ReceiptState, Recorded, SearchId};
use queue::{Payload, decode, encode};
use store::{Accepted, NewJob};

use crate::environment::Environment;
use crate::http::from_store;
use crate::jobs::LogRequest;

/// The log must be written, so its job is tried for two hours and more before it is given up,
/// and stays visible as dead even then. Processes that die do not count; see
/// [`store::Queue::requeue_orphans`].
const MAX_ATTEMPTS: u32 = 20;

/// Makes the search's log job durable. Returns what can honestly be said of the record.
///
/// Fails only where the id stands for another search already.
pub async fn accept(env: &Environment, request: &LogRequest) -> Result<Recorded, ApiError> {
    let job = NewJob {
        kind: LogRequest::KIND.to_owned(),
        key: Some(request.id.to_string()),
        payload: encode(request),
        priority: 0,
        max_attempts: MAX_ATTEMPTS,
        created_at: request.searched_at,
        run_at: env.clock.steady(),
        now: env.clock.steady(),
    };
    let there = match env.store.accept(request.id, job).await {
        Ok(Accepted::New(_)) => return Ok(Recorded::Accepted),
        Ok(Accepted::Recorded(row)) => Some((row.phrase, row.letters)),
        // A payload that cannot be read is not of this release: the safe answer is that it differs.
        Ok(Accepted::Queued { payload, .. }) => {
            decode::<LogRequest>(&payload).ok().map(|there| (there.phrase, there.letters))
        }
        Err(error) => {
            tracing::error!(%error, search = %request.id, "a search was answered and could not be recorded");
            return Ok(Recorded::NotRecorded);
        }
    };
    if there.is_some_and(|(phrase, letters)| phrase == request.phrase && letters == request.letters) {
        return recorded(env, request.id).await;
    }
    let message = "This id stands for another search already. Make a new id for a new search.";
    Err(ApiError::at(ErrorCode::Conflict, "id", message))
}

/// What can be said of a search that was asked before.
async fn recorded(env: &Environment, id: SearchId) -> Result<Recorded, ApiError> {
    let place = env.store.place(LogRequest::KIND, &id.to_string()).await.map_err(from_store)?;
    let is_given_up = place.is_some_and(|place| matches!(place.state, JobState::Dead | JobState::Cancelled));
    if is_given_up && row_of(env, id).await?.is_none() {
        return Ok(Recorded::NotRecorded);
    }
    Ok(Recorded::Accepted)
}

/// How far the log record of the receipt's search has come.
pub async fn receipt_state(env: &Environment, receipt: &Receipt) -> Result<ReceiptState, ApiError> {
    let not_found = || ApiError::not_found("receipt");
    let search = env.receipts.search(receipt).ok_or_else(not_found)?;
    let place = env.store.place(LogRequest::KIND, &search.to_string()).await.map_err(from_store)?;
    let Some(place) = place else {
        // Finished jobs are pruned after a time; the row stays.
        let row = row_of(env, search).await?.ok_or_else(not_found)?;
        return Ok(ReceiptState { state: JobState::Done, ahead: 0, attempt: 1, row: Some(row) });
    };
    let row = if place.state.is_final() { row_of(env, search).await? } else { None };
    Ok(ReceiptState { state: place.state, ahead: place.ahead, attempt: place.attempt, row })
}

async fn row_of(env: &Environment, search: SearchId) -> Result<Option<api::LogSeq>, ApiError> {
    let row = env.store.log_row_of_search(search).await.map_err(from_store)?;
    Ok(row.map(|row| row.seq))
}
