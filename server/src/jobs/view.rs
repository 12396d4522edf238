//! Stored jobs and kinds, as administrators see them.

use api::{
    ApiError, FilterError, JOBS_PAGE, JobDetail, JobId, JobKind, JobState, JobSummary, JobsPage, Receipt, SearchId,
};
use store::{LOG_JOB, StoredJob, StoredKind};

use super::scan::{Scanned, filter_of, scan};
use super::{JobService, SearchOf};
use crate::platform::error::Result;

/// How many characters of a phrase or payload are shown in a summary.
const ABOUT: usize = 80;

impl JobService {
    pub(super) async fn page(&self, q: &str, before: Option<JobId>) -> Result<JobsPage> {
        let filter = filter_of(q, &*self.store, &self.search_of_receipt).await?;
        let filter = filter.map_err(|error: FilterError| error.in_field("q"))?;
        let scanned = scan(&*self.store, &*self.clock, self.search_of, &filter, before, JOBS_PAGE).await?;
        let Scanned { jobs, next, compared, is_cut } = scanned;
        Ok(JobsPage { jobs: jobs.iter().map(|job| self.summary(job)).collect(), next, compared, is_cut })
    }

    pub(super) async fn detail(&self, id: JobId) -> Result<JobDetail> {
        let job = self.store.job(id).await?.ok_or_else(|| ApiError::not_found("job"))?;
        let log_row = match (self.search_of)(&job) {
            Some(search) => self.store.log_row_of_search(search.id).await?.map(|row| row.seq),
            None => None,
        };
        Ok(JobDetail {
            summary: self.summary(&job),
            payload: indented(&job.payload),
            result: job.result.as_deref().map(indented),
            attempts: self.store.attempts(id).await?,
            audit: self.store.audit_of_job(id).await?,
            log_row,
            why_not_running: self.why_not_running(&job).await?,
        })
    }

    /// The job of the search with this id or receipt.
    pub(super) async fn of_search(&self, text: &str) -> store::Result<Option<JobSummary>> {
        let of_receipt = || (self.search_of_receipt)(&Receipt(text.to_owned()));
        let Some(search) = text.parse().ok().or_else(of_receipt) else { return Ok(None) };
        let job = self.store.job_by_key(LOG_JOB, &SearchId::to_string(&search)).await?;
        Ok(job.map(|job| self.summary(&job)))
    }

    pub(super) async fn kinds(&self) -> store::Result<Vec<JobKind>> {
        let to_view = |StoredKind { kind, paused, limit, counts }| JobKind { kind, paused, limit, counts };
        Ok(self.store.kinds().await?.into_iter().map(to_view).collect())
    }

    fn summary(&self, job: &StoredJob) -> JobSummary {
        summary(job, self.search_of)
    }

    async fn why_not_running(&self, job: &StoredJob) -> Result<Option<String>> {
        if job.state.is_final() || job.state == JobState::Running {
            return Ok(None);
        }
        let reason = match self.blocked_by_kind(job).await? {
            Some(reason) => reason,
            None => self.waits_for(job).await?,
        };
        Ok(Some(reason))
    }

    /// Why a waiting job may not begin because of its kind, in one sentence.
    async fn blocked_by_kind(&self, job: &StoredJob) -> Result<Option<String>> {
        let kinds = self.store.kinds().await?;
        let Some(kind) = kinds.into_iter().find(|kind| kind.kind == job.kind) else { return Ok(None) };
        let running = kind.counts.running;
        let reached = kind.limit.filter(|limit| u64::from(*limit) <= running);
        Ok(match (kind.paused, reached) {
            (true, _) => {
                Some(format!("Jobs of the type {} are paused: it runs once somebody resumes them.", kind.kind))
            }
            (false, Some(limit)) if job.state == JobState::Waiting => Some(no_free_place(&kind.kind, limit, running)),
            _ => None,
        })
    }

    async fn waits_for(&self, job: &StoredJob) -> Result<String> {
        Ok(match job.state {
            _ if self.worker.is_none() && !self.store.is_shared() => {
                "This process was started with --no-worker, so it runs no jobs.".to_owned()
            }
            JobState::Scheduled => "Its time has not come yet.".to_owned(),
            JobState::Retrying => "It failed and waits for its next attempt.".to_owned(),
            _ => {
                let position = match &job.key {
                    Some(key) => self.store.position(&job.kind, key).await?,
                    None => None,
                };
                match position.map_or(0, |position| position.ahead) {
                    0 => "It is the next to run, as soon as a worker is free.".to_owned(),
                    1 => "One job comes before it.".to_owned(),
                    ahead => format!("{ahead} jobs come before it."),
                }
            }
        })
    }
}

/// Why a job waits whose type may run `limit` jobs at a time and runs at least as many.
fn no_free_place(kind: &str, limit: u32, running: u64) -> String {
    let most = match limit {
        1 => "one job at a time".to_owned(),
        _ => format!("at most {limit} jobs at a time"),
    };
    let running = match running {
        1 => "one is running".to_owned(),
        _ => format!("{running} are running"),
    };
    format!("It waits for a free place: {kind} runs {most}, and {running}.")
}

/// A job in a list. It is about the phrase of its search, or its payload.
pub(crate) fn summary(job: &StoredJob, search_of: SearchOf) -> JobSummary {
    let phrase = search_of(job).map(|search| search.phrase);
    JobSummary {
        id: job.id,
        kind: job.kind.clone(),
        about: shortened(phrase.as_deref().unwrap_or(&job.payload)),
        state: job.state,
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        created_at: job.created_at,
        run_at: job.run_at,
        finished_at: job.finished_at,
        error: job.error.clone(),
        progress: job.progress.clone(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ABOUT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn indented(json: &str) -> String {
    let parsed: std::result::Result<serde_json::Value, _> = serde_json::from_str(json);
    parsed.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| json.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_phrases_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shortened(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }

    #[test]
    fn a_job_without_a_free_place_says_how_many_there_are() {
        let sentence = |limit, running| no_free_place("log_request", limit, running);
        assert_eq!(
            sentence(1, 1),
            "It waits for a free place: log_request runs one job at a time, and one is running."
        );
        assert_eq!(
            sentence(3, 3),
            "It waits for a free place: log_request runs at most 3 jobs at a time, and 3 are running."
        );
        // The limit was lowered while they ran.
        assert_eq!(sentence(1, 2), "It waits for a free place: log_request runs one job at a time, and 2 are running.");
    }

    #[test]
    fn payloads_that_are_not_json_are_shown_as_they_are() {
        assert_eq!(indented("{not json"), "{not json");
        assert_eq!(indented(r#"{"v":1}"#), "{\n  \"v\": 1\n}");
    }
}
