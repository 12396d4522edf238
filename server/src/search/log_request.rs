//! The job `log_request`: writes a search into the log.

use std::collections::BTreeSet;
use std::time::Duration;

use api::{LogRow, SearchId, TimeMs};
use queue::{JobError, JobOutcome, Payload, decode};
use serde::{Deserialize, Serialize};
use store::{AttemptResult, ClaimedJob, Clock, FinishedAttempt, LogEntry, SearchRecord, Store, StoredJob, WorkerName};

use super::browser_family::browser_family;
use crate::platform::caller::Caller;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogRequest(pub SearchRecord);

impl Payload for LogRequest {
    const KIND: &'static str = store::LOG_JOB;
    const VERSION: u32 = 1;
}

/// The record of a search that has `found` these letters.
pub fn record_of(
    caller: &Caller,
    id: SearchId,
    phrase: String,
    letters: String,
    found: &BTreeSet<char>,
    searched_at: TimeMs,
) -> SearchRecord {
    SearchRecord {
        id,
        results: api::set_text(found),
        ip: caller.ip_text(),
        browser_family: browser_family(&caller.user_agent),
        user_agent: caller.user_agent.clone(),
        searched_at,
        phrase,
        letters,
    }
}

impl LogRequest {
    /// The request of a log job. `None` for another job, or if the payload cannot be read.
    pub fn of_job(job: &StoredJob) -> Option<Self> {
        decode(&job.payload).ok().filter(|_| job.kind == Self::KIND)
    }

    /// The search of a log job. `None` for another job, or if the payload cannot be read.
    pub fn search_of_job(job: &StoredJob) -> Option<SearchRecord> {
        Self::of_job(job).map(|Self(search)| search)
    }

    /// Whether the payload of a log job asks for the same letters in the same phrase. An unreadable payload comes from
    /// another release, and counts as a different search.
    pub fn is_same_search(&self, payload: &str) -> bool {
        Self::is_for(payload, &self.0.phrase, &self.0.letters)
    }

    /// Whether the payload of a log job asks for these letters in this phrase.
    pub fn is_for(payload: &str, phrase: &str, letters: &str) -> bool {
        decode::<Self>(payload).is_ok_and(|Self(search)| search.phrase == phrase && search.letters == letters)
    }

    pub fn is_row(&self, row: &LogRow) -> bool {
        self.0.phrase == row.phrase && self.0.letters == row.letters
    }
}

/// Writes the rows of these jobs, and the ends of their attempts, in one transaction: neither exists without the other.
/// Running it again changes nothing, because a search's id is its row's key.
pub async fn log_requests(
    jobs: &[ClaimedJob],
    worker: WorkerName,
    delay: Duration,
    store: &dyn Store,
    clock: &dyn Clock,
) -> Result<JobOutcome, JobError> {
    // The original's log_request slept for 15 s. With --log-delay ours does too, and no request waits for it.
    clock.sleep_until(clock.steady().after(delay)).await;
    let (now, wall) = (clock.steady(), clock.wall());
    let record = |job: &ClaimedJob| {
        let LogRequest(search) = decode(&job.payload)?;
        let (id, attempt, worker) = (job.id, job.attempt, worker.clone());
        let done = FinishedAttempt { job: id, attempt, worker, result: AttemptResult::Done, now, wall };
        Ok((LogEntry { search, job_id: id, recorded_at: wall }, done))
    };
    let records = jobs.iter().map(record).collect::<Result<_, JobError>>()?;
    store.record_all(records).await.map_err(|error| JobError::Retry(error.to_string()))?;
    Ok(JobOutcome::Stored)
}
