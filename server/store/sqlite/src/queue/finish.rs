//! What workers say came of their attempts.

use std::collections::HashMap;

use api::{AttemptOutcome, JobState};
use async_trait::async_trait;
use store::{Finish, FinishedAttempt, Result};

use crate::error::store_error;
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
        let mut running = find_running(writes.iter().flat_map(|write| &write.0), tx).await?;
        let mut ended = Vec::with_capacity(running.len());
        let mut answers = Vec::with_capacity(writes.len());
        for FinishAttempts(attempts) in writes {
            let before = ended.len();
            for attempt in attempts {
                // Taken out, so that the same attempt told twice is stored once.
                if running.get(&attempt.job.0).is_some_and(|job| holds(attempt, job))
                    && let Some(job) = running.remove(&attempt.job.0)
                {
                    ended.push(end(attempt, &job));
                }
            }
            answers.push((ended.len() - before) as u64);
        }
        settle(&ended, tx).await?;
        Ok(answers)
    }
}

async fn find_running(
    attempts: impl Iterator<Item = &FinishedAttempt> + Send,
    tx: &mut WriteTx<'_>,
) -> Result<HashMap<i64, Running>> {
    let ids = json_rows(&attempts.map(|attempt| attempt.job).collect::<Vec<_>>());
    let running = sqlx::query_as!(
        Running,
        r#"select job.id as "id!: i64", attempt as "attempt!: u32", max_attempts as "max_attempts!: u32",
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

fn end(told: &FinishedAttempt, job: &Running) -> Ended {
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
    Ended { job: job.id, outcome, error, next, run_at, attempt, ended_at: told.wall }
}
