//! The job `log_request`: writes a search into the log.

use api::{JobId, SearchId, TimeMs};
use queue::{JobError, JobOutcome, Payload};
use serde::{Deserialize, Serialize};
use store::{FinishedAttempt, LogEntry};

use crate::worker::JobEnvironment;

/// A search with everything that its log row says, by value: the request is long gone when
/// the row is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRequest {
    pub id: SearchId,
    pub phrase: String,
    pub letters: String,
    /// The set of letters found, as Python displays it.
    pub results: String,
    pub ip: String,
    #[serde(rename = "browser_string")]
    pub browser_family: String,
    pub user_agent: String,
    pub searched_at: TimeMs,
}

impl Payload for LogRequest {
    const KIND: &'static str = store::LOG_JOB;
    const VERSION: u32 = 1;
}

impl LogRequest {
    /// The row that says it, written by `job_id` at `recorded_at`.
    #[must_use]
    pub fn into_entry(self, job_id: JobId, recorded_at: TimeMs) -> LogEntry {
        LogEntry {
            search_id: self.id,
            job_id,
            phrase: self.phrase,
            letters: self.letters,
            results: self.results,
            ip: self.ip,
            browser_family: self.browser_family,
            user_agent: self.user_agent,
            searched_at: self.searched_at,
            recorded_at,
        }
    }
}

/// Writes the row, and with it that the attempt is `done`, at that moment: so no row is without
/// its job's end, and no end without its row. Running it again changes nothing: the search's id is
/// the row's key.
pub async fn log_request(
    request: LogRequest,
    done: impl FnOnce() -> FinishedAttempt,
    env: &JobEnvironment,
) -> Result<JobOutcome, JobError> {
    // The original's log_request slept for 15 s; with --log-delay ours does too, and nobody notices.
    env.clock.sleep_until(env.clock.steady().after(env.log_delay)).await;
    let done = done();
    let entry = request.into_entry(done.job, done.wall);
    env.log.record(entry, done).await.map_err(|error| JobError::Retry(error.to_string()))?;
    Ok(JobOutcome::Stored)
}
