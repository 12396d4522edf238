//! The end of attempts, whatever ended them: the attempt's row, and the job's next state.

use api::{AttemptOutcome, JobState, TimeMs};
use store::Result;
use store::codec::corrupt;

use crate::error::store_error;
use crate::texts::{Texts, json_rows};
use crate::writer::WriteTx;

/// Running jobs that are alike in all on which the end of an attempt depends. In one row, because nearly always all are
/// alike: a row for each would cost more than finding it.
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

/// How an attempt ended, and where that leaves its job.
pub(super) struct Ended<'a> {
    pub(super) job: i64,
    pub(super) kind: &'a str,
    pub(super) outcome: AttemptOutcome,
    pub(super) error: Option<&'a str>,
    pub(super) next: JobState,
    /// When the job runs again, where it does.
    pub(super) run_at: Option<TimeMs>,
    /// How many attempts the job has used up now.
    pub(super) attempt: u32,
    pub(super) ended_at: TimeMs,
}

/// Writes what `ended` says; each of its jobs is running, and is named once.
pub(super) async fn settle(ended: &[Ended<'_>], tx: &mut WriteTx<'_>) -> Result<()> {
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
    // The attempt's row first: it takes from the job what the second statement overwrites.
    sqlx::query!(
        "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
         select job.id,
                (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = job.id),
                job.attempt, job.worker, job.started_at_ms,
                ended.value ->> 7, ended.value ->> 1,
                cast(substr(?2, ended.value ->> 2, ended.value ->> 3) as text)
         from jsonb_each(?1) as ended
         cross join job
         where job.id = ended.value ->> 0",
        rows,
        texts
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    sqlx::query!(
        "update or fail job
         set state = ended.value ->> 4,
             run_at_ms = coalesce(ended.value ->> 5, run_at_ms),
             attempt = ended.value ->> 6,
             finished_at_ms = ended.value ->> 8,
             error = coalesce(cast(substr(?2, ended.value ->> 2, ended.value ->> 3) as text), error),
             worker = null, lease_until_ms = null, cancel_requested = 0
         from jsonb_each(?1) as ended
         where job.id = ended.value ->> 0",
        rows,
        texts
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    for end in ended {
        tx.changes.moved(end.kind, JobState::Running, end.next);
    }
    Ok(())
}
