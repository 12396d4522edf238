//! Ends attempts: writes the job's next state, and the attempt's row. The attempt that has done its job has none: it stands
//! in the job's row.

use std::collections::HashMap;

use api::{AttemptOutcome, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::corrupt;
use store::{AttemptResult, FinishedAttempt, LOG_JOB, Result, StoreError};

use crate::bulk::{Texts, json_rows};
use crate::transaction::Transaction;
use crate::writer::WriteMany;

pub(crate) struct FinishAttempts(pub(super) Vec<FinishedAttempt>);

#[async_trait]
impl WriteMany for FinishAttempts {
    type Answer = u64;

    async fn apply_all(writes: &[Self], tx: &mut Transaction<'_>) -> Result<Vec<u64>> {
        let attempts: Vec<&FinishedAttempt> = writes.iter().flat_map(|write| &write.0).collect();
        let stored = end_held(&attempts, tx).await?;
        let mut stored = stored.into_iter();
        Ok(writes
            .iter()
            .map(|write| stored.by_ref().take(write.0.len()).filter(|stored| *stored).count() as u64)
            .collect())
    }
}

/// Ends the attempts that their workers still hold. Returns for each attempt whether it has ended.
pub(crate) async fn end_held(finished: &[&FinishedAttempt], tx: &mut Transaction<'_>) -> Result<Vec<bool>> {
    let running = find_held(finished, tx).await?;
    let mut jobs = HashMap::with_capacity(finished.len());
    for alike in &running {
        jobs.extend(alike.attempts()?.into_iter().map(|attempt| (attempt, alike)));
    }
    let mut ended = Vec::with_capacity(jobs.len());
    let stored = finished.iter().map(|attempt| {
        // Removed, so that an attempt that is reported twice is stored once.
        let job = jobs.remove(&(attempt.job.0, attempt.attempt));
        job.map(|job| ended.push(end(attempt, job))).is_some()
    });
    let stored = stored.collect();
    end_attempts(&ended, tx).await?;
    Ok(stored)
}

/// Ends attempts at log jobs, if all of them are the first ones of one worker and have succeeded, as nearly all do.
/// Returns whether it has. It looks for nothing: the number of changed rows says whether all were still held.
///
/// Fails if some were not, or one is reported twice. The batch is then written again, one by one.
pub(crate) async fn end_first_attempts(finished: &[&FinishedAttempt], tx: &mut Transaction<'_>) -> Result<bool> {
    let [FinishedAttempt { worker, .. }, ..] = finished else { return Ok(false) };
    let is_alike =
        |other: &&FinishedAttempt| other.attempt == 1 && other.result == AttemptResult::Done && other.worker == *worker;
    if !finished.iter().all(is_alike) {
        return Ok(false);
    }
    let jobs = json_rows(&finished.iter().map(|attempt| (attempt.job, attempt.wall)).collect::<Vec<_>>());
    // "Not indexed", so that jobs are found by their ids and not by their state.
    let ended = tx
        .execute(sqlx::query!(
            "update or fail job not indexed
             set state = 'done', finished_at_ms = ended.value ->> 1, done_by = worker,
                 worker = null, lease_until_ms = null, cancel_requested = 0
             from jsonb_each(?1) as ended
             where job.id = ended.value ->> 0 and kind = 'log_request' and state = 'running' and attempt = 1
               and worker = ?2",
            jobs,
            worker.0
        ))
        .await?;
    match usize::try_from(ended) {
        // None is held, or no job has written these rows, as in a sandbox. The careful way says which.
        Ok(0) => return Ok(false),
        Ok(ended) if ended == finished.len() => {}
        _ => return Err(StoreError::Sql("a worker has lost an attempt that it has ended".to_owned())),
    }
    for _ in finished {
        tx.changes.moved(LOG_JOB, JobState::Running, JobState::Done);
    }
    Ok(true)
}

/// The jobs of the attempts that their workers still hold.
async fn find_held(finished: &[&FinishedAttempt], tx: &mut Transaction<'_>) -> Result<Vec<RunningJobs>> {
    // Workers' names contain nothing that JSON would escape.
    let finished = finished.iter().map(|attempt| (attempt.job, attempt.attempt, &attempt.worker.0));
    let finished = json_rows(&finished.collect::<Vec<_>>());
    tx.fetch_all(sqlx::query_as!(
        RunningJobs,
        r#"select kind as "kind!", max_attempts as "max_attempts!: u32", cancel_requested as "cancel_requested!: bool",
                  json_group_array(json_array(job.id, job.attempt)) as "attempts!: String"
           from jsonb_each(?1) as finished
           cross join job
           where job.id = finished.value ->> 0 and job.state = 'running'
             and job.attempt = finished.value ->> 1 and job.worker = finished.value ->> 2
           group by kind, max_attempts, cancel_requested"#,
        finished
    ))
    .await
}

fn end<'a>(finished: &'a FinishedAttempt, job: &'a RunningJobs) -> EndedAttempt<'a> {
    use AttemptResult::{Cancelled, Dead, Done, Release, Retry};

    let number = finished.attempt;
    // After a cancellation request, a job does not run again, whatever its worker reports.
    let is_cancelled = job.cancel_requested && matches!(finished.result, Retry { .. } | Release);
    let is_last = matches!(finished.result, Retry { .. }) && !job.has_attempts_left(number);
    let (outcome, next, run_at, attempt) = match &finished.result {
        _ if is_cancelled => (AttemptOutcome::Cancelled, JobState::Cancelled, None, number),
        _ if is_last => (AttemptOutcome::Dead, JobState::Dead, None, number),
        Done => (AttemptOutcome::Done, JobState::Done, None, number),
        Retry { after, .. } => (AttemptOutcome::Failed, JobState::Retrying, Some(finished.now.after(*after)), number),
        Dead { .. } => (AttemptOutcome::Dead, JobState::Dead, None, number),
        Cancelled => (AttemptOutcome::Cancelled, JobState::Cancelled, None, number),
        Release => (AttemptOutcome::Released, JobState::Waiting, Some(finished.now), number.saturating_sub(1)),
    };
    let error = finished.result.error();
    EndedAttempt {
        job: finished.job.0,
        kind: &job.kind,
        outcome,
        error,
        next,
        run_at,
        attempt,
        ended_at: finished.wall,
    }
}

/// Running jobs that finish alike, as one row: usually there is only one such group, and a row for each job would
/// cost more than finding it.
pub(super) struct RunningJobs {
    pub(super) kind: String,
    pub(super) max_attempts: u32,
    pub(super) cancel_requested: bool,
    /// Their ids and the numbers of their attempts, as JSON.
    pub(super) attempts: String,
}

impl RunningJobs {
    /// Their ids and the numbers of their attempts.
    pub(super) fn attempts(&self) -> Result<Vec<(i64, u32)>> {
        serde_json::from_str(&self.attempts).map_err(|_| corrupt("job's number of attempts", &self.attempts))
    }

    pub(super) fn has_attempts_left(&self, attempt: u32) -> bool {
        attempt < self.max_attempts
    }
}

/// How an attempt ended, and the state of its job afterwards.
pub(super) struct EndedAttempt<'a> {
    pub(super) job: i64,
    pub(super) kind: &'a str,
    pub(super) outcome: AttemptOutcome,
    pub(super) error: Option<&'a str>,
    pub(super) next: JobState,
    /// When the job runs again, if it does.
    pub(super) run_at: Option<TimeMs>,
    /// How many attempts the job has used up.
    pub(super) attempt: u32,
    pub(super) ended_at: TimeMs,
}

/// Writes the ends of attempts. Each of their jobs must be running and occur only once.
pub(super) async fn end_attempts(ended: &[EndedAttempt<'_>], tx: &mut Transaction<'_>) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut texts = Texts::default();
    let rows: Vec<_> = ended
        .iter()
        .map(|end| {
            let (error_start, error_length) = texts.add_option(end.error);
            let finished_at = end.next.is_final().then_some(end.ended_at.0);
            (
                end.job,
                end.outcome.as_str(),
                error_start,
                error_length,
                end.next.as_str(),
                end.run_at.map(|time| time.0),
                end.attempt,
                end.ended_at.0,
                finished_at,
            )
        })
        .collect();
    let (rows, texts) = (json_rows(&rows), texts.into_blob());
    // The attempt's row first: it copies columns of the job that the second statement overwrites.
    if ended.iter().any(|end| end.next != JobState::Done) {
        tx.execute(sqlx::query!(
            "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
             select job.id,
                    (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = job.id),
                    job.attempt, job.worker, job.started_at_ms,
                    ended.value ->> 7, ended.value ->> 1,
                    cast(substr(?2, ended.value ->> 2, ended.value ->> 3) as text)
             from jsonb_each(?1) as ended
             cross join job
             where job.id = ended.value ->> 0 and ended.value ->> 4 <> 'done'",
            rows,
            texts
        ))
        .await?;
    }
    tx.execute(sqlx::query!(
        "update or fail job
         set state = ended.value ->> 4,
             run_at_ms = coalesce(ended.value ->> 5, run_at_ms),
             attempt = ended.value ->> 6,
             finished_at_ms = ended.value ->> 8,
             error = coalesce(cast(substr(?2, ended.value ->> 2, ended.value ->> 3) as text), error),
             done_by = case ended.value ->> 4 when 'done' then worker end,
             worker = null, lease_until_ms = null, cancel_requested = 0
         from jsonb_each(?1) as ended
         where job.id = ended.value ->> 0",
        rows,
        texts
    ))
    .await?;
    for end in ended {
        tx.changes.moved(end.kind, JobState::Running, end.next);
    }
    Ok(())
}
