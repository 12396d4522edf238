//! How far the log record of a search is, for the holder of its receipt.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode, JobState, LogRow, Receipt, ReceiptState, SearchId, TimeMs};
use queue::Payload;
use spool::Record;
use store::JobPosition;

use super::SearchService;
use super::log_request::LogRequest;
use crate::platform::error::Result;

/// A log record that was found.
struct Found {
    search: SearchId,
    state: ReceiptState,
    place: Place,
}

/// Where the record is.
enum Place {
    Spool(Arc<Record>),
    Log(LogRow),
    Queue,
}

impl SearchService {
    /// The progress of the log record that the receipt stands for. `None` if neither the database nor the spool of this
    /// process has the record: it may be in the spool of another process, or deleted. Fails with
    /// [`ErrorCode::NotFound`] if there cannot be another process, or if the text is no receipt.
    pub(super) async fn receipt_state(&self, receipt: &Receipt) -> Result<Option<ReceiptState>> {
        Ok(self.find(receipt).await?.map(|found| found.state))
    }

    /// Like [`Self::receipt_state`], but fails with [`ErrorCode::Conflict`] if the receipt is not that of a search for
    /// these letters in this phrase.
    pub(super) async fn receipt_state_of(
        &self,
        receipt: &Receipt,
        phrase: &str,
        letters: &str,
    ) -> Result<Option<ReceiptState>> {
        let Some(Found { search, state, place }) = self.find(receipt).await? else { return Ok(None) };
        let is_same = match place {
            Place::Spool(record) => LogRequest::is_for(&record.payload, phrase, letters),
            Place::Log(row) => row.phrase == phrase && row.letters == letters,
            Place::Queue => {
                let job = self.store.job_by_key(LogRequest::KIND, &search.to_string()).await?;
                job.is_some_and(|job| LogRequest::is_for(&job.payload, phrase, letters))
            }
        };
        if is_same {
            return Ok(Some(state));
        }
        let message = "The receipt in this address is not that of this search.";
        Err(ApiError::at(ErrorCode::Conflict, "receipt", message).into())
    }

    /// Whether another process may still have the record in its spool, by the time in the id.
    fn may_be_spooled(&self, search: SearchId) -> bool {
        let searched_at = TimeMs(i64::try_from(search.unix_ms()).unwrap_or(i64::MAX));
        let now = self.clock.wall();
        now < searched_at.after(SPOOLED_FOR) && searched_at < now.after(MOST_AHEAD)
    }

    async fn position(&self, search: SearchId) -> store::Result<Option<JobPosition>> {
        self.store.position(LogRequest::KIND, &search.to_string()).await
    }

    async fn find(&self, receipt: &Receipt) -> Result<Option<Found>> {
        let not_found = || ApiError::not_found("receipt");
        let search = self.receipts.search(receipt).ok_or_else(not_found)?;
        // Read before the store: a record leaves the spool only after the store has taken it.
        let spooled = self.ingest.spool().find(search);
        let job = self.position(search).await;
        if let (Some(record), Err(_) | Ok(None)) = (spooled, &job) {
            let state = ReceiptState { spooled: true, ..waiting_since(record.searched_at) };
            return Ok(Some(Found { search, state, place: Place::Spool(record) }));
        }
        let job = job?;
        // What is written stays written: finished jobs are pruned after some time, and some are run once more.
        if let Some(row) = self.store.log_row_of_search(search).await? {
            // The job was read before the row, and may have been waiting then.
            let job = match job {
                Some(JobPosition { started_at: None, .. }) => self.position(search).await?,
                job => job,
            };
            let (attempt, started_at) = job.map_or((1, None), |job| (job.attempt.max(1), job.started_at));
            // One that began clearly later did not write the row. The two times may be of two clocks.
            let started_at = started_at.filter(|started_at| started_at.since(row.recorded_at) < CLOCKS_DIFFER_MS);
            let started_at = started_at.map(|started_at| started_at.min(row.recorded_at));
            let (state, recorded_at) = (JobState::Done, Some(row.recorded_at));
            let receipt = waiting_since(row.searched_at);
            let state = ReceiptState { state, attempt, started_at, row: Some(row.seq), recorded_at, ..receipt };
            return Ok(Some(Found { search, state, place: Place::Log(row) }));
        }
        match job {
            Some(JobPosition { state, attempt, ahead, is_paused, created_at, started_at, .. }) => {
                let receipt = waiting_since(created_at);
                let state = ReceiptState { state, attempt, ahead, paused: is_paused, started_at, ..receipt };
                Ok(Some(Found { search, state, place: Place::Queue }))
            }
            None if self.store.is_shared() && self.may_be_spooled(search) => Ok(None),
            None => Err(not_found().into()),
        }
    }
}

/// An id carries the time of its search, by the clock of its maker. Of a thousand made-up receipts, one yields such a time.
const SPOOLED_FOR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The steady clock and the wall clock, which note when an attempt began and when it wrote, are read in whole milliseconds.
const CLOCKS_DIFFER_MS: i64 = 1_000;
/// How far the clock that made the id may be ahead.
const MOST_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

fn waiting_since(accepted_at: TimeMs) -> ReceiptState {
    ReceiptState {
        state: JobState::Waiting,
        ahead: 0,
        attempt: 0,
        row: None,
        spooled: false,
        paused: false,
        accepted_at: Some(accepted_at),
        started_at: None,
        recorded_at: None,
    }
}

/// The error for a receipt of which only another process may know something.
pub(super) fn not_known_here() -> ApiError {
    let message = "This server does not know the receipt yet: the record may be in another server's spool, or deleted. \
                   Ask again later.";
    ApiError::new(ErrorCode::NotFound, message)
}
