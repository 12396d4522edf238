//! Searches as the queue and the log know them: accepting one, and following its receipt.

use api::{ApiError, ErrorCode, JobState, Receipt, ReceiptState, Recorded, SearchId};
use queue::{Payload, decode, encode};
use store::{Accepted, NewJob};

use crate::environment::Environment;
use crate::http::from_store;
use crate::jobs::LogRequest;

/// The log must be written, so its job is tried for about three hours before it is given up,
/// and stays visible as dead even then.
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
    let is_same = match env.store.accept(request.id, job).await {
        Ok(Accepted::New(_)) => true,
        Ok(Accepted::Queued { payload, .. }) => {
            // A payload that cannot be read is not of this release: the safe answer is that it differs.
            decode::<LogRequest>(&payload)
                .is_ok_and(|there| there.phrase == request.phrase && there.letters == request.letters)
        }
        Ok(Accepted::Recorded(row)) => row.phrase == request.phrase && row.letters == request.letters,
        Err(error) => {
            tracing::error!(%error, search = %request.id, "a search was answered and could not be recorded");
            return Ok(Recorded::NotRecorded);
        }
    };
    if is_same {
        return Ok(Recorded::Accepted);
    }
    let message = "This id stands for another search already. Make a new id for a new search.";
    Err(ApiError::at(ErrorCode::Conflict, "id", message))
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
