//! Searches: answered, kept until they are in the log, and followed by their receipts.

pub mod browser_family;
pub(crate) mod http;
pub mod ingest;
pub mod log_request;
pub(crate) mod page;
mod progress;
pub mod public_ledger;
pub mod receipt;
pub mod replay;

use std::sync::Arc;

use api::{
    ApiError, DEFAULT_LETTERS, ErrorCode, JobState, LETTERS_LIMIT, PHRASE_LIMIT, Recorded, SearchAnswer, SearchId,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use queue::{Payload, encode};
use spool::Record;
use store::{Accepted, Clock, Store};

use self::ingest::{Ingest, IngestOutcome};
use self::log_request::{LogRequest, record_of};
use self::public_ledger::LedgerReader;
use self::receipt::Receipts;
use crate::platform::caller::Caller;
use crate::platform::error::Result;
use crate::platform::random::Random;

/// Answered searches, by what is known of their record.
pub type SearchCounter = Family<[(&'static str, &'static str); 1], Counter>;

/// A new counter, which shows each outcome from the start.
pub fn search_counter() -> SearchCounter {
    let counter = SearchCounter::default();
    for recorded in Recorded::ALL {
        drop(counter.get_or_create(&label(recorded)));
    }
    counter
}

/// The counter of answered searches that could not be recorded anywhere.
pub fn not_recorded(counter: &SearchCounter) -> Counter {
    counter.get_or_create(&label(Recorded::NotRecorded)).clone()
}

fn label(recorded: Recorded) -> [(&'static str, &'static str); 1] {
    [("recorded", recorded.as_str())]
}

pub struct SearchService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub ingest: Arc<Ingest>,
    pub receipts: Receipts,
    pub counter: SearchCounter,
    pub ledger: LedgerReader,
}

impl SearchService {
    async fn search(
        &self,
        caller: &Caller,
        phrase: String,
        letters: Option<String>,
        id: Option<SearchId>,
    ) -> Result<SearchAnswer> {
        let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
        check_length("phrase", &phrase, PHRASE_LIMIT)?;
        check_length("letters", &letters, LETTERS_LIMIT)?;
        let found = api::search4letters(&phrase, &letters);
        let id = id.unwrap_or_else(|| self.new_id());
        let request = LogRequest(record_of(caller, id, phrase, letters, &found, self.clock.wall()));
        let arrived = self.clock.steady();
        let recorded = self.accept(&request).await?;
        let accepted_in_ms = u32::try_from(self.clock.steady().since(arrived)).ok();
        let LogRequest(record) = request;
        self.counter.get_or_create(&label(recorded)).inc();
        Ok(SearchAnswer {
            receipt: self.receipts.of(id),
            id,
            phrase: record.phrase,
            letters: record.letters,
            results: found.into_iter().map(String::from).collect(),
            text: record.results,
            recorded,
            accepted_in_ms,
        })
    }

    /// An id for a search that came without one.
    fn new_id(&self) -> SearchId {
        let unix_ms = u64::try_from(self.clock.wall().0).unwrap_or(0);
        SearchId::from_parts(unix_ms, u128::from_le_bytes(self.random.bytes()))
    }

    /// Makes the search's record durable, and returns what is known of it. Fails only if the id belongs to another
    /// search.
    async fn accept(&self, request: &LogRequest) -> Result<Recorded> {
        let LogRequest(search) = request;
        let record = Record { search: search.id, searched_at: search.searched_at, payload: encode(request) };
        let (is_same, recorded) = match self.ingest.ingest(record).await {
            IngestOutcome::Stored(Accepted::New(_)) => return Ok(Recorded::Accepted),
            IngestOutcome::Spooled => return Ok(Recorded::Spooled),
            IngestOutcome::Lost => return Ok(Recorded::NotRecorded),
            IngestOutcome::Stored(Accepted::Queued { payload, .. }) => (request.is_same_search(&payload), None),
            IngestOutcome::Stored(Accepted::Recorded(row)) => (request.is_row(&row), None),
            IngestOutcome::AlreadySpooled(record) => (request.is_same_search(&record.payload), Some(Recorded::Spooled)),
        };
        if !is_same {
            let message = "This id stands for another search already. Make a new id for a new search.";
            return Err(ApiError::at(ErrorCode::Conflict, "id", message).into());
        }
        match recorded {
            Some(recorded) => Ok(recorded),
            None => Ok(self.recorded(search.id).await),
        }
    }

    /// What is known of a repeated search that the store has.
    async fn recorded(&self, id: SearchId) -> Recorded {
        let is_given_up = match self.store.position(LogRequest::KIND, &id.to_string()).await {
            Ok(job) => job.is_some_and(|job| matches!(job.state, JobState::Dead | JobState::Cancelled)),
            // The store had it a moment ago, and still has it if it fails now.
            Err(_) => false,
        };
        if is_given_up && self.store.log_row_of_search(id).await.is_ok_and(|row| row.is_none()) {
            return Recorded::NotRecorded;
        }
        Recorded::Accepted
    }
}

fn check_length(field: &str, text: &str, limit: usize) -> std::result::Result<(), ApiError> {
    let count = text.chars().count();
    if count > limit {
        let message = format!("The {field} has {count} characters; at most {limit} are searched.");
        return Err(ApiError::at(ErrorCode::TooLong, field, message));
    }
    Ok(())
}
