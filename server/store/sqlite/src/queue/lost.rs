//! Attempts of which nobody will hear again.

use api::{AttemptOutcome, JobState, TimeMs};
use async_trait::async_trait;
use store::Result;

use crate::error::store_error;
use crate::queue::settle::{Ended, Running, settle};
use crate::writer::{Write, WriteTx};

pub(crate) struct Expire {
    pub(crate) now: TimeMs,
}

#[async_trait]
impl Write for Expire {
    type Answer = u64;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<u64> {
        let lost = sqlx::query_as!(
            Running,
            r#"select id as "id!: i64", kind, attempt as "attempt!: u32", max_attempts as "max_attempts!: u32",
                      worker as "worker!", cancel_requested as "cancel_requested!: bool"
               from job indexed by job_state
               where state = 'running' and lease_until_ms < ?1"#,
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
            Running,
            r#"select id as "id!: i64", kind, attempt as "attempt!: u32", max_attempts as "max_attempts!: u32",
                      worker as "worker!", cancel_requested as "cancel_requested!: bool"
               from job indexed by job_state
               where state = 'running'"#
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        let why = "The process that ran the attempt ended before it said what came of it.";
        end_as_lost(&lost, why, self.now, tx).await
    }
}

async fn end_as_lost(lost: &[Running], why: &str, now: TimeMs, tx: &mut WriteTx<'_>) -> Result<u64> {
    let ended: Vec<Ended> = lost
        .iter()
        .map(|job| {
            let next = match job {
                Running { cancel_requested: true, .. } => JobState::Cancelled,
                _ if job.has_attempts_left() => JobState::Waiting,
                _ => JobState::Dead,
            };
            Ended {
                job: job.id,
                kind: job.kind.clone(),
                outcome: AttemptOutcome::Lost,
                error: Some(why.to_owned()),
                next,
                run_at: (next == JobState::Waiting).then_some(now),
                attempt: job.attempt,
                ended_at: now,
            }
        })
        .collect();
    settle(&ended, tx).await?;
    Ok(ended.len() as u64)
}
