//! Rescues the jobs of dead workers: their attempts end as lost.

use api::{AttemptOutcome, JobState, TimeMs};
use async_trait::async_trait;
use store::{Result, WORKER_STOPPED};

use crate::job_queue::finish::{EndedAttempt, RunningJobs, end_attempts};
use crate::transaction::Transaction;
use crate::writer::Write;

pub(super) struct ExpireLeases {
    pub(super) now: TimeMs,
}

#[async_trait]
impl Write for ExpireLeases {
    type Answer = u64;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<u64> {
        let lost = sqlx::query_as!(
            RunningJobs,
            r#"select kind as "kind!", max_attempts as "max_attempts!: u32",
                      cancel_requested as "cancel_requested!: bool",
                      json_group_array(json_array(id, attempt)) as "attempts!: String"
               from job indexed by job_state
               where state = 'running' and lease_until_ms < ?1
               group by kind, max_attempts, cancel_requested"#,
            self.now.0
        );
        let lost = tx.fetch_all(lost).await?;
        let reason = "The lease ran out before the worker said what came of the attempt: it hangs, or has stopped.";
        end_as_lost(&lost, reason, self.now, tx).await
    }
}

pub(super) struct RescueOrphans {
    pub(super) now: TimeMs,
    pub(super) latest: TimeMs,
}

#[async_trait]
impl Write for RescueOrphans {
    type Answer = u64;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<u64> {
        tx.execute(sqlx::query!(
            "update job indexed by job_due set run_at_ms = ?1
             where state in ('scheduled', 'retrying') and run_at_ms > ?1",
            self.latest.0
        ))
        .await?;
        tx.execute(sqlx::query!(
            "update job indexed by job_state set max_attempts = max_attempts + 1 where state = 'running'"
        ))
        .await?;
        let lost = sqlx::query_as!(
            RunningJobs,
            r#"select kind as "kind!", max_attempts as "max_attempts!: u32",
                      cancel_requested as "cancel_requested!: bool",
                      json_group_array(json_array(id, attempt)) as "attempts!: String"
               from job indexed by job_state
               where state = 'running'
               group by kind, max_attempts, cancel_requested"#
        );
        let lost = tx.fetch_all(lost).await?;
        end_as_lost(&lost, WORKER_STOPPED, self.now, tx).await
    }
}

async fn end_as_lost(lost: &[RunningJobs], reason: &str, now: TimeMs, tx: &mut Transaction<'_>) -> Result<u64> {
    let mut ended = Vec::new();
    for alike in lost {
        for (job, attempt) in alike.attempts()? {
            let next = match alike {
                RunningJobs { cancel_requested: true, .. } => JobState::Cancelled,
                _ if alike.has_attempts_left(attempt) => JobState::Waiting,
                _ => JobState::Dead,
            };
            ended.push(EndedAttempt {
                job,
                kind: &alike.kind,
                outcome: AttemptOutcome::Lost,
                error: Some(reason),
                next,
                run_at: (next == JobState::Waiting).then_some(now),
                attempt,
                ended_at: now,
            });
        }
    }
    end_attempts(&ended, tx).await?;
    Ok(ended.len() as u64)
}
