//! Reads jobs with their last reports.

use api::{JobFilter, JobId, JobProgress, JobState, TimeMs};
use store::codec::job_state;
use store::{JobPage, LOG_JOB, Result, StoredJob, WorkerName};

use crate::connections::Connections;
use crate::escape::restored;

/// Statements that read jobs differ only in their condition. The macro builds each complete statement, so that sqlx
/// checks it at compile time.
macro_rules! select_jobs {
    ($condition:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            JobRow,
            r#"select id, kind, key, payload, state, attempt, max_attempts, worker, cancel_requested, created_at_ms,
                      run_at_ms, started_at_ms, finished_at_ms, error, percent as "percent?", note as "note?", result
               from job left join job_report on job_id = id
               where "# + $condition,
            $($argument),+
        )
    };
}

pub(super) async fn jobs(
    connections: &Connections,
    filter: JobFilter,
    before: Option<JobId>,
    limit: u32,
) -> Result<JobPage> {
    let before = before.map_or(i64::MAX, |id| id.0);
    // One more than requested shows whether there is another page.
    let fetched = i64::from(limit) + 1;
    let (kind, state) = (filter.kind.as_deref(), filter.state.map(JobState::as_str));
    let rows = match (kind.filter(|&kind| kind != LOG_JOB), state) {
        // Kinds with few jobs have their own index.
        (Some(kind), state) => {
            let rows = select_jobs!(
                "kind = $1 and kind <> 'log_request' and id < $3 and ($2::text is null or state = $2) \
                 order by id desc limit $4",
                kind,
                state,
                before,
                fetched
            );
            connections.fetch_all(rows).await?
        }
        (None, Some(state)) => {
            let rows = select_jobs!(
                "state = $1 and id < $3 and ($2::text is null or kind = $2) order by id desc limit $4",
                state,
                kind,
                before,
                fetched
            );
            connections.fetch_all(rows).await?
        }
        (None, None) => {
            let rows = select_jobs!(
                "id < $2 and ($1::text is null or kind = $1) order by id desc limit $3",
                kind,
                before,
                fetched
            );
            connections.fetch_all(rows).await?
        }
    };
    let jobs = rows.into_iter().map(JobRow::into_job).collect::<Result<Vec<_>>>()?;
    Ok(JobPage::cut(jobs, limit))
}

pub(super) async fn job(connections: &Connections, id: JobId) -> Result<Option<StoredJob>> {
    connections.fetch_optional(select_jobs!("id = $1", id.0)).await?.map(JobRow::into_job).transpose()
}

pub(super) async fn job_by_key(connections: &Connections, kind: &str, key: &str) -> Result<Option<StoredJob>> {
    let row = connections.fetch_optional(select_jobs!("kind = $1 and key = $2", kind, key)).await?;
    row.map(JobRow::into_job).transpose()
}

struct JobRow {
    id: i64,
    kind: String,
    key: Option<String>,
    payload: String,
    state: String,
    attempt: i32,
    max_attempts: i32,
    worker: Option<String>,
    cancel_requested: bool,
    created_at_ms: i64,
    run_at_ms: i64,
    started_at_ms: Option<i64>,
    finished_at_ms: Option<i64>,
    error: Option<String>,
    percent: Option<i16>,
    note: Option<String>,
    result: Option<String>,
}

impl JobRow {
    fn into_job(self) -> Result<StoredJob> {
        let percent = self.percent.map(|percent| u8::try_from(percent).unwrap_or(u8::MAX));
        let note = self.note.map(restored);
        Ok(StoredJob {
            id: JobId(self.id),
            kind: self.kind,
            key: self.key,
            payload: self.payload,
            state: job_state(&self.state)?,
            attempt: self.attempt.unsigned_abs(),
            max_attempts: self.max_attempts.unsigned_abs(),
            worker: self.worker.map(WorkerName),
            cancel_requested: self.cancel_requested,
            created_at: TimeMs(self.created_at_ms),
            run_at: TimeMs(self.run_at_ms),
            started_at: self.started_at_ms.map(TimeMs),
            finished_at: self.finished_at_ms.map(TimeMs),
            error: self.error.map(restored),
            progress: percent.zip(note).map(|(percent, note)| JobProgress { percent, note }),
            result: self.result.map(restored),
        })
    }
}
