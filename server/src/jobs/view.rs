//! Stored jobs, as administrators see them.

use api::{Account, ApiError, ErrorCode, JobDetail, JobId, JobState, JobSummary};
use queue::{Payload, decode};
use store::StoredJob;

use crate::app_state::Environment;
use crate::jobs::kinds;
use crate::platform::error::from_store;
use crate::search::log_request::LogRequest;

/// How many characters of a phrase tell what a job is about.
const ABOUT: usize = 80;

pub fn summary(job: &StoredJob) -> JobSummary {
    JobSummary {
        id: job.id,
        kind: job.kind.clone(),
        about: about(job),
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

pub async fn detail(env: &Environment, id: JobId) -> Result<JobDetail, ApiError> {
    let job = env.store.job(id).await.map_err(from_store)?.ok_or_else(|| ApiError::not_found("job"))?;
    let log_row = match decode::<LogRequest>(&job.payload) {
        Ok(request) if job.kind == LogRequest::KIND => {
            env.store.log_row_of_search(request.id).await.map_err(from_store)?.map(|row| row.seq)
        }
        _ => None,
    };
    Ok(JobDetail {
        summary: summary(&job),
        payload: indented(&job.payload),
        result: job.result.as_deref().map(indented),
        attempts: env.store.attempts(id).await.map_err(from_store)?,
        log_row,
        why_not_running: why_not_running(env, &job).await?,
    })
}

/// Says what came of an administrator's order, and writes down who gave it.
pub async fn steered(env: &Environment, id: JobId, done: bool, order: &str, by: &Account) -> Result<(), ApiError> {
    if done {
        tracing::info!(job = id.0, order, by = ?by.name, "an order was carried out");
        return Ok(());
    }
    let job = env.store.job(id).await.map_err(from_store)?.ok_or_else(|| ApiError::not_found("job"))?;
    let message = format!("Job {} is {}: there is nothing to {order}.", id.0, job.state.as_str());
    Err(ApiError::new(ErrorCode::Conflict, message))
}

fn about(job: &StoredJob) -> String {
    match decode::<LogRequest>(&job.payload) {
        Ok(request) if job.kind == LogRequest::KIND => shortened(&request.phrase),
        _ => shortened(&job.payload),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ABOUT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn indented(json: &str) -> String {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(json);
    parsed.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| json.to_owned())
}

async fn why_not_running(env: &Environment, job: &StoredJob) -> Result<Option<String>, ApiError> {
    if job.state.is_final() || job.state == JobState::Running {
        return Ok(None);
    }
    let why = match kinds::hindrance(env, job).await? {
        Some(hindrance) => hindrance,
        None => of_its_own(env, job).await?,
    };
    Ok(Some(why))
}

async fn of_its_own(env: &Environment, job: &StoredJob) -> Result<String, ApiError> {
    Ok(match job.state {
        _ if !env.jobs.runs_jobs() && !env.store.is_shared() => {
            "This process was started with --no-worker, so it runs no jobs.".to_owned()
        }
        JobState::Scheduled => "Its time has not come yet.".to_owned(),
        JobState::Retrying => "It failed and waits for its next attempt.".to_owned(),
        _ => {
            let place = match &job.key {
                Some(key) => env.store.position(&job.kind, key).await.map_err(from_store)?,
                None => None,
            };
            match place.map_or(0, |place| place.ahead) {
                0 => "It is the next to run, as soon as a worker is free.".to_owned(),
                1 => "One job comes before it.".to_owned(),
                ahead => format!("{ahead} jobs come before it."),
            }
        }
    })
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
    fn payloads_that_are_not_json_are_shown_as_they_are() {
        assert_eq!(indented("{not json"), "{not json");
        assert_eq!(indented(r#"{"v":1}"#), "{\n  \"v\": 1\n}");
    }
}
