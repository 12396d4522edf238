//! Attempts of which nobody will hear again.

use api::{AttemptOutcome, JobState, TimeMs};
use async_trait::async_trait;
use store::Result;

use crate::error::store_error;
use crate::queue::settle::{Ended, RunningJobs, settle};
use crate::writer::{Write, WriteTx};

pub(crate) struct Expire {
    pub(crate) now: TimeMs,
}

#[async_trait]
impl Write for Expire {
    type Answer = u64;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<u64> {
        let lost = sqlx::query_as!(
            RunningJobs,
            r#"select kind as "kind!", max_attempts as "max_attempts!: u32",
                      cancel_requested as "cancel_requested!: bool",
                      json_group_array(json_array(id, attempt)) as "attempts!: String"
               from job indexed by job_state
               where state = 'running' and lease_until_ms < ?1
               group by kind, max_attempts, cancel_requested"#,
            self.now.0
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        let why = "The lease ran out before the worker said what came of the attempt: it hangs, or has stopped.";
        end_as_lost(&lost, why, self.now, tx).await
    }
}

pub(crate) struct RequeueOrphans {
    pub(crate) now: TimeMs,
    pub(crate) latest: TimeMs,
}

#[async_trait]
impl Write for RequeueOrphans {
    type Answer = u64;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<u64> {
        sqlx::query!(
            "update job indexed by job_due set run_at_ms = ?1
             where state in ('scheduled', 'retrying') and run_at_ms > ?1",
            self.latest.0
        )
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        sqlx::query!("update job indexed by job_state set max_attempts = max_attempts + 1 where state = 'running'")
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
        let lost = sqlx::query_as!(
            RunningJobs,
            r#"select kind as "kind!", max_attempts as "max_attempts!: u32",
                      cancel_requested as "cancel_requested!: bool",
                      json_group_array(json_array(id, attempt)) as "attempts!: String"
               from job indexed by job_state
               where state = 'running'
               group by kind, max_attempts, cancel_requested"#
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        let why = "The process that ran the attempt ended before it said what came of it.";
        end_as_lost(&lost, why, self.now, tx).await
    }
}

async fn end_as_lost(lost: &[RunningJobs], why: &str, now: TimeMs, tx: &mut WriteTx<'_>) -> Result<u64> {
    let mut ended = Vec::new();
    for alike in lost {
        for (job, attempt) in alike.attempts()? {
            let next = match alike {
                RunningJobs { cancel_requested: true, .. } => JobState::Cancelled,
                _ if alike.has_attempts_left(attempt) => JobState::Waiting,
                _ => JobState::Dead,
            };
            ended.push(Ended {
                job,
                kind: &alike.kind,
                outcome: AttemptOutcome::Lost,
                error: Some(why),
                next,
                run_at: (next == JobState::Waiting).then_some(now),
                attempt,
                ended_at: now,
            });
        }
    }
    settle(&ended, tx).await?;
    Ok(ended.len() as u64)
}
