//! What workers say came of their attempts.

use std::collections::HashMap;

use api::{AttemptOutcome, JobId, JobState};
use async_trait::async_trait;
use store::{Finish, FinishedAttempt, Result};

use crate::error::store_error;
use crate::queue::ledger::count_recorded;
use crate::queue::settle::{Ended, Running, settle};
use crate::texts::json_rows;
use crate::writer::{Asked, Command, GroupedWrite, WriteTx};

pub(crate) struct FinishAttempts(pub(crate) Vec<FinishedAttempt>);

#[async_trait]
impl GroupedWrite for FinishAttempts {
    type Answer = u64;

    fn command(asked: Asked<Self>) -> Command {
        Command::Finish(asked)
    }

    async fn run_all(writes: &[Self], tx: &mut WriteTx<'_>) -> Result<Vec<u64>> {
        let told: Vec<&FinishedAttempt> = writes.iter().flat_map(|write| &write.0).collect();
        let stored = end_held(&told, tx).await?;
        let done: Vec<JobId> = told
            .iter()
            .zip(&stored)
            .filter(|(attempt, stored)| **stored && attempt.finish == Finish::Done)
            .map(|(attempt, _)| attempt.job)
            .collect();
        if !done.is_empty() {
            // A search whose row was there before its attempt ended was counted as reopened.
            tx.changes.ledger.reopened -= count_recorded(&done, tx).await?;
        }
        let mut stored = stored.into_iter();
        Ok(writes
            .iter()
            .map(|write| stored.by_ref().take(write.0.len()).filter(|stored| *stored).count() as u64)
            .collect())
    }
}

/// Ends those attempts that their workers still hold, and says of each whether it did.
pub(crate) async fn end_held(told: &[&FinishedAttempt], tx: &mut WriteTx<'_>) -> Result<Vec<bool>> {
    let mut running = find_running(told.iter().copied(), tx).await?;
    let mut ended = Vec::with_capacity(running.len());
    let stored = told.iter().map(|attempt| {
        // Taken out, so that the same attempt told twice is stored once.
        let job = running.get(&attempt.job.0).is_some_and(|job| holds(attempt, job));
        let job = if job { running.remove(&attempt.job.0) } else { None };
        job.map(|job| ended.push(end(attempt, job))).is_some()
    });
    let stored = stored.collect();
    settle(&ended, tx).await?;
    Ok(stored)
}

async fn find_running(
    attempts: impl Iterator<Item = &FinishedAttempt> + Send,
    tx: &mut WriteTx<'_>,
) -> Result<HashMap<i64, Running>> {
    let ids = json_rows(&attempts.map(|attempt| attempt.job).collect::<Vec<_>>());
    let running = sqlx::query_as!(
        Running,
        r#"select job.id as "id!: i64", kind as "kind!", attempt as "attempt!: u32", max_attempts as "max_attempts!: u32",
                  worker as "worker!", cancel_requested as "cancel_requested!: bool"
           from json_each(?1) as told
           cross join job
           where job.id = told.value and job.state = 'running'"#,
        ids
    )
    .fetch_all(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    Ok(running.into_iter().map(|job| (job.id, job)).collect())
}

fn holds(told: &FinishedAttempt, job: &Running) -> bool {
    job.worker == told.worker.0 && job.attempt == told.attempt
}

fn end(told: &FinishedAttempt, job: Running) -> Ended {
    // A job that was to stop does not run again, however its worker put it.
    let stops = job.cancel_requested && matches!(told.finish, Finish::Retry { .. } | Finish::Release);
    let is_last = matches!(told.finish, Finish::Retry { .. }) && !job.has_attempts_left();
    let (outcome, next, run_at, attempt) = match &told.finish {
        _ if stops => (AttemptOutcome::Cancelled, JobState::Cancelled, None, job.attempt),
        _ if is_last => (AttemptOutcome::Dead, JobState::Dead, None, job.attempt),
        Finish::Done => (AttemptOutcome::Done, JobState::Done, None, job.attempt),
        Finish::Retry { after, .. } => {
            (AttemptOutcome::Failed, JobState::Retrying, Some(told.now.after(*after)), job.attempt)
        }
        Finish::Dead { .. } => (AttemptOutcome::Dead, JobState::Dead, None, job.attempt),
        Finish::Cancelled => (AttemptOutcome::Cancelled, JobState::Cancelled, None, job.attempt),
        Finish::Release => (AttemptOutcome::Released, JobState::Waiting, Some(told.now), job.attempt.saturating_sub(1)),
    };
    let error = told.finish.error().map(str::to_owned);
    Ended { job: job.id, kind: job.kind, outcome, error, next, run_at, attempt, ended_at: told.wall }
}
