//! Reads jobs with their last reports.

use api::{JobFilter, JobId, JobProgress, JobState, TimeMs};
use store::codec::job_state;
use store::{JobPage, LOG_JOB, Result, StoredJob, WorkerName};

use crate::connections::Connections;

/// Statements that read jobs differ only after `from job`. The macro builds each complete statement, so that sqlx
/// checks it at compile time.
macro_rules! select_jobs {
    ($from_job:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            JobRow,
            r#"select id as "id!: i64", kind, key, payload, state, attempt as "attempt: u32",
                      max_attempts as "max_attempts: u32", worker, cancel_requested as "cancel_requested: bool",
                      created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error,
                      percent as "percent?: u8", note as "note?", result as "result?"
               from job "# + $from_job,
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
    let (kind, state) = (filter.kind, filter.state.map(JobState::as_str));
    let rows = match (kind.as_deref().filter(|&kind| kind != LOG_JOB), state) {
        (Some(kind), state) => of_rare_kind(connections, kind, state, before, fetched).await,
        (None, Some(state)) => in_state(connections, kind.as_deref(), state, before, fetched).await,
        (None, None) => newest(connections, kind.as_deref(), before, fetched).await,
    };
    let jobs = rows?.into_iter().map(JobRow::into_job).collect::<Result<Vec<_>>>()?;
    Ok(JobPage::cut(jobs, limit))
}

/// Kinds with few jobs have their own index.
async fn of_rare_kind(
    connections: &Connections,
    kind: &str,
    state: Option<&str>,
    before: i64,
    limit: i64,
) -> Result<Vec<JobRow>> {
    let rows = select_jobs!(
        "indexed by job_of_kind left join job_report on job_id = id \
         where kind = ?1 and kind <> 'log_request' and id < ?3 and (?2 is null or state = ?2) \
         order by id desc limit ?4",
        kind,
        state,
        before,
        limit
    );
    connections.fetch_all(rows).await
}

async fn in_state(
    connections: &Connections,
    kind: Option<&str>,
    state: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<JobRow>> {
    let rows = select_jobs!(
        "indexed by job_state left join job_report on job_id = id \
         where state = ?1 and id < ?3 and (?2 is null or kind = ?2) \
         order by id desc limit ?4",
        state,
        kind,
        before,
        limit
    );
    connections.fetch_all(rows).await
}

async fn newest(connections: &Connections, kind: Option<&str>, before: i64, limit: i64) -> Result<Vec<JobRow>> {
    let rows = select_jobs!(
        "left join job_report on job_id = id \
         where id < ?2 and (?1 is null or kind = ?1) \
         order by id desc limit ?3",
        kind,
        before,
        limit
    );
    connections.fetch_all(rows).await
}

pub(super) async fn job(connections: &Connections, id: JobId) -> Result<Option<StoredJob>> {
    let row = select_jobs!(
        "left join job_report on job_id = id \
         where id = ?1",
        id.0
    );
    connections.fetch_optional(row).await?.map(JobRow::into_job).transpose()
}

pub(super) async fn job_by_key(connections: &Connections, kind: &str, key: &str) -> Result<Option<StoredJob>> {
    let row = select_jobs!(
        "left join job_report on job_id = id \
         where kind = ?1 and key = ?2",
        kind,
        key
    );
    connections.fetch_optional(row).await?.map(JobRow::into_job).transpose()
}

struct JobRow {
    id: i64,
    kind: String,
    key: Option<String>,
    payload: String,
    state: String,
    attempt: u32,
    max_attempts: u32,
    worker: Option<String>,
    cancel_requested: bool,
    created_at_ms: i64,
    run_at_ms: i64,
    started_at_ms: Option<i64>,
    finished_at_ms: Option<i64>,
    error: Option<String>,
    percent: Option<u8>,
    note: Option<String>,
    result: Option<String>,
}

impl JobRow {
    fn into_job(self) -> Result<StoredJob> {
        Ok(StoredJob {
            id: JobId(self.id),
            kind: self.kind,
            key: self.key,
            payload: self.payload,
            state: job_state(&self.state)?,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            worker: self.worker.map(WorkerName),
            cancel_requested: self.cancel_requested,
            created_at: TimeMs(self.created_at_ms),
            run_at: TimeMs(self.run_at_ms),
            started_at: self.started_at_ms.map(TimeMs),
            finished_at: self.finished_at_ms.map(TimeMs),
            error: self.error,
            progress: self.percent.zip(self.note).map(|(percent, note)| JobProgress { percent, note }),
            result: self.result,
        })
    }
}
