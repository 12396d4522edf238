//! Reads jobs with their last reports.

use api::{JobId, JobProgress, JobState, TimeMs};
use store::codec::job_state;
use store::{JobPage, JobSelection, LOG_JOB, Result, StoredJob, WorkerName};

use crate::connections::Connections;

/// Reads jobs. Statements differ only after `from job`; the macro builds each complete one, so that sqlx checks it at
/// compile time.
macro_rules! select_jobs {
    ($connections:expr, $from_job:literal, $($argument:expr),+ $(,)?) => {{
        let rows = sqlx::query!(
            r#"select id as "id!: i64", kind, key, payload, state, attempt as "attempt: u32",
                      max_attempts as "max_attempts: u32", worker,
                      coalesce(worker, done_by, (select attempt.worker from attempt where attempt.job_id = job.id
                                                 order by ordinal desc limit 1)) as "last_worker?: String",
                      cancel_requested as "cancel_requested: bool",
                      created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error,
                      percent as "percent?: u8", note as "note?", result as "result?"
               from job "# + $from_job,
            $($argument),+
        );
        let jobs = $connections.fetch_all(rows).await?.into_iter().map(|row| {
            Ok(StoredJob {
                id: JobId(row.id),
                kind: row.kind,
                key: row.key,
                payload: row.payload,
                state: job_state(&row.state)?,
                attempt: row.attempt,
                max_attempts: row.max_attempts,
                worker: row.worker.map(WorkerName),
                last_worker: row.last_worker.map(WorkerName),
                cancel_requested: row.cancel_requested,
                created_at: TimeMs(row.created_at_ms),
                run_at: TimeMs(row.run_at_ms),
                started_at: row.started_at_ms.map(TimeMs),
                finished_at: row.finished_at_ms.map(TimeMs),
                error: row.error,
                progress: row.percent.zip(row.note).map(|(percent, note)| JobProgress { percent, note }),
                result: row.result,
            })
        });
        jobs.collect::<Result<Vec<_>>>()?
    }};
}

pub(super) async fn jobs(
    connections: &Connections,
    selection: JobSelection,
    before: Option<JobId>,
    limit: u32,
) -> Result<JobPage> {
    let before = before.map_or(i64::MAX, |id| id.0);
    // One more than requested shows whether there is another page.
    let fetched = i64::from(limit) + 1;
    let (kind, state) = (selection.kind.as_deref(), selection.state.map(JobState::as_str));
    let jobs = match (kind.filter(|&kind| kind != LOG_JOB), state) {
        // Kinds with few jobs have their own index.
        (Some(kind), state) => select_jobs!(
            connections,
            "indexed by job_of_kind left join job_report on job_id = id \
         where kind = ?1 and kind <> 'log_request' and id < ?3 and (?2 is null or state = ?2) \
         order by id desc limit ?4",
            kind,
            state,
            before,
            fetched
        ),
        (None, Some(state)) => select_jobs!(
            connections,
            "indexed by job_state left join job_report on job_id = id \
         where state = ?1 and id < ?3 and (?2 is null or kind = ?2) \
         order by id desc limit ?4",
            state,
            kind,
            before,
            fetched
        ),
        (None, None) => select_jobs!(
            connections,
            "left join job_report on job_id = id \
         where id < ?2 and (?1 is null or kind = ?1) \
         order by id desc limit ?3",
            kind,
            before,
            fetched
        ),
    };
    Ok(JobPage::cut(jobs, limit))
}

pub(super) async fn job(connections: &Connections, id: JobId) -> Result<Option<StoredJob>> {
    Ok(select_jobs!(connections, "left join job_report on job_id = id where id = ?1", id.0).pop())
}

pub(super) async fn job_by_key(connections: &Connections, kind: &str, key: &str) -> Result<Option<StoredJob>> {
    let mut jobs =
        select_jobs!(connections, "left join job_report on job_id = id where kind = ?1 and key = ?2", kind, key);
    Ok(jobs.pop())
}
