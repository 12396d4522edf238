//! What workers say came of their attempts.

use std::collections::HashMap;

use api::{AttemptOutcome, JobId, JobState};
use async_trait::async_trait;
use store::{AttemptResult, FinishedAttempt, Result};

use crate::error::store_error;
use crate::queue::ledger::count_recorded;
use crate::queue::settle::{Ended, RunningJobs, settle};
use crate::texts::json_rows;
use crate::writer::{Asked, Command, GroupedWrite, WriteTx};

pub(crate) struct FinishAttempts(pub(crate) Vec<FinishedAttempt>);

#[async_trait]
impl GroupedWrite for FinishAttempts {
    type Answer = u64;

    fn command(asked: Asked<Self>) -> Command {
        Command::AttemptResult(asked)
    }

    async fn run_all(writes: &[Self], tx: &mut WriteTx<'_>) -> Result<Vec<u64>> {
        let told: Vec<&FinishedAttempt> = writes.iter().flat_map(|write| &write.0).collect();
        let stored = end_held(&told, tx).await?;
        let done: Vec<JobId> = told
            .iter()
            .zip(&stored)
            .filter(|(attempt, stored)| **stored && attempt.finish == AttemptResult::Done)
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
    let running = find_held(told, tx).await?;
    let mut jobs = HashMap::with_capacity(told.len());
    for alike in &running {
        jobs.extend(alike.attempts()?.into_iter().map(|attempt| (attempt, alike)));
    }
    let mut ended = Vec::with_capacity(jobs.len());
    let stored = told.iter().map(|attempt| {
        // Taken out, so that the same attempt told twice is stored once.
        let job = jobs.remove(&(attempt.job.0, attempt.attempt));
        job.map(|job| ended.push(end(attempt, job))).is_some()
    });
    let stored = stored.collect();
    settle(&ended, tx).await?;
    Ok(stored)
}

/// The jobs whose attempts are told of by the workers that hold them.
async fn find_held(told: &[&FinishedAttempt], tx: &mut WriteTx<'_>) -> Result<Vec<RunningJobs>> {
    // Workers' names are our own words, which hold nothing that JSON would change.
    let told = told.iter().map(|told| (told.job, told.attempt, &told.worker.0));
    let told = json_rows(&told.collect::<Vec<_>>());
    sqlx::query_as!(
        RunningJobs,
        r#"select kind as "kind!", max_attempts as "max_attempts!: u32", cancel_requested as "cancel_requested!: bool",
                  json_group_array(json_array(job.id, job.attempt)) as "attempts!: String"
           from jsonb_each(?1) as told
           cross join job
           where job.id = told.value ->> 0 and job.state = 'running'
             and job.attempt = told.value ->> 1 and job.worker = told.value ->> 2
           group by kind, max_attempts, cancel_requested"#,
        told
    )
    .fetch_all(&mut *tx.connection)
    .await
    .map_err(store_error)
}

fn end<'a>(told: &'a FinishedAttempt, job: &'a RunningJobs) -> Ended<'a> {
    // A job that was to stop does not run again, however its worker put it.
    let stops = job.cancel_requested && matches!(told.finish, AttemptResult::Retry { .. } | AttemptResult::Release);
    let is_last = matches!(told.finish, AttemptResult::Retry { .. }) && !job.has_attempts_left(told.attempt);
    let (outcome, next, run_at, attempt) = match &told.finish {
        _ if stops => (AttemptOutcome::Cancelled, JobState::Cancelled, None, told.attempt),
        _ if is_last => (AttemptOutcome::Dead, JobState::Dead, None, told.attempt),
        AttemptResult::Done => (AttemptOutcome::Done, JobState::Done, None, told.attempt),
        AttemptResult::Retry { after, .. } => {
            (AttemptOutcome::Failed, JobState::Retrying, Some(told.now.after(*after)), told.attempt)
        }
        AttemptResult::Dead { .. } => (AttemptOutcome::Dead, JobState::Dead, None, told.attempt),
        AttemptResult::Cancelled => (AttemptOutcome::Cancelled, JobState::Cancelled, None, told.attempt),
        AttemptResult::Release => {
            (AttemptOutcome::Released, JobState::Waiting, Some(told.now), told.attempt.saturating_sub(1))
        }
    };
    let error = told.finish.error();
    Ended { job: told.job.0, kind: &job.kind, outcome, error, next, run_at, attempt, ended_at: told.wall }
}
