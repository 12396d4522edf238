//! The end of attempts, whatever ended them: the attempt's row, and the job's next state.

use api::{AttemptOutcome, JobState, TimeMs};
use store::Result;

use crate::error::store_error;
use crate::texts::{Texts, json_rows};
use crate::writer::WriteTx;

/// A running job as far as its end depends on it.
pub(super) struct Running {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) worker: String,
    pub(super) cancel_requested: bool,
}

impl Running {
    pub(super) fn has_attempts_left(&self) -> bool {
        self.attempt < self.max_attempts
    }
}

/// How an attempt ended, and where that leaves its job.
pub(super) struct Ended {
    pub(super) job: i64,
    pub(super) kind: String,
    pub(super) outcome: AttemptOutcome,
    pub(super) error: Option<String>,
    pub(super) next: JobState,
    /// When the job runs again, where it does.
    pub(super) run_at: Option<TimeMs>,
    /// How many attempts the job has used up now.
    pub(super) attempt: u32,
    pub(super) ended_at: TimeMs,
}

/// Writes what `ended` says; each of its jobs is running, and is named once.
pub(super) async fn settle(ended: &[Ended], tx: &mut WriteTx<'_>) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut texts = Texts::default();
    let rows: Vec<_> = ended
        .iter()
        .map(|end| {
            let (error_start, error_length) = texts.add_option(end.error.as_deref());
            let finished_at = end.next.is_final().then_some(end.ended_at.0);
            (
                end.job,
                end.outcome.word(),
                error_start,
                error_length,
                end.next.word(),
                end.run_at.map(|time| time.0),
                end.attempt,
                end.ended_at.0,
                finished_at,
            )
        })
        .collect();
    let (rows, texts) = (json_rows(&rows), texts.into_blob());
    // The attempt's row first: it takes from the job what the second statement overwrites.
    sqlx::query!(
        "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
         select job.id,
                (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = job.id),
                job.attempt, job.worker, job.started_at_ms,
                ended.value ->> 7, ended.value ->> 1,
                cast(substr(?2, ended.value ->> 2, ended.value ->> 3) as text)
         from json_each(?1) as ended
         cross join job
         where job.id = ended.value ->> 0",
        rows,
        texts
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    sqlx::query!(
        "update job
         set state = ended.value ->> 4,
             run_at_ms = coalesce(ended.value ->> 5, run_at_ms),
             attempt = ended.value ->> 6,
             finished_at_ms = ended.value ->> 8,
             error = coalesce(cast(substr(?2, ended.value ->> 2, ended.value ->> 3) as text), error),
             worker = null, lease_until_ms = null, cancel_requested = 0
         from json_each(?1) as ended
         where job.id = ended.value ->> 0",
        rows,
        texts
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    for end in ended {
        tx.changes.moved(&end.kind, JobState::Running, end.next);
    }
    Ok(())
}
