//! Reads jobs with their last reports.

use api::{JobId, JobProgress, JobState, TimeMs};
use store::codec::job_state;
use store::{JobPage, JobSelection, LOG_JOB, Result, StoredJob, WorkerName};

use crate::connections::Connections;
use crate::escape::restored;

/// Reads jobs. Statements differ only in their condition; the macro builds each complete one, so that sqlx checks it at
/// compile time.
macro_rules! select_jobs {
    ($connections:expr, $condition:literal, $($argument:expr),+ $(,)?) => {{
        let rows = sqlx::query!(
            r#"select id, kind, key, payload, state, attempt, max_attempts, worker,
                      coalesce(worker, done_by, (select attempt.worker from attempt where attempt.job_id = job.id
                                        order by ordinal desc limit 1)) as last_worker,
                      cancel_requested, created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error, percent as "percent?", note as "note?", result
               from job left join job_report on job_id = id
               where "# + $condition,
            $($argument),+
        );
        let jobs = $connections.fetch_all(rows).await?.into_iter().map(|row| {
            let percent = row.percent.map(|percent| u8::try_from(percent).unwrap_or(u8::MAX));
            let note = row.note.map(restored);
            Ok(StoredJob {
                id: JobId(row.id),
                kind: row.kind,
                key: row.key,
                payload: row.payload,
                state: job_state(&row.state)?,
                attempt: row.attempt.unsigned_abs(),
                max_attempts: row.max_attempts.unsigned_abs(),
                worker: row.worker.map(WorkerName),
                last_worker: row.last_worker.map(WorkerName),
                cancel_requested: row.cancel_requested,
                created_at: TimeMs(row.created_at_ms),
                run_at: TimeMs(row.run_at_ms),
                started_at: row.started_at_ms.map(TimeMs),
                finished_at: row.finished_at_ms.map(TimeMs),
                error: row.error.map(restored),
                progress: percent.zip(note).map(|(percent, note)| JobProgress { percent, note }),
                result: row.result.map(restored),
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
            "kind = $1 and kind <> 'log_request' and id < $3 and ($2::text is null or state = $2) \
                 order by id desc limit $4",
            kind,
            state,
            before,
            fetched
        ),
        (None, Some(state)) => select_jobs!(
            connections,
            "state = $1 and id < $3 and ($2::text is null or kind = $2) order by id desc limit $4",
            state,
            kind,
            before,
            fetched
        ),
        (None, None) => select_jobs!(
            connections,
            "id < $2 and ($1::text is null or kind = $1) order by id desc limit $3",
            kind,
            before,
            fetched
        ),
    };
    Ok(JobPage::cut(jobs, limit))
}

pub(super) async fn job(connections: &Connections, id: JobId) -> Result<Option<StoredJob>> {
    Ok(select_jobs!(connections, "id = $1", id.0).pop())
}

pub(super) async fn job_by_key(connections: &Connections, kind: &str, key: &str) -> Result<Option<StoredJob>> {
    Ok(select_jobs!(connections, "kind = $1 and key = $2", kind, key).pop())
}
