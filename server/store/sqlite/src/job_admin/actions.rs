//! Admin actions on jobs.

use api::{AuditAction, JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::job_state;
use store::{LOG_JOB, Result, Signature, Topic};

use crate::audit::Act;
use crate::ledger::note_reopened;
use crate::transaction::Transaction;
use crate::writer::Write;

pub(super) struct Retry {
    pub(super) id: JobId,
    pub(super) now: TimeMs,
    pub(super) by: Signature,
}

#[async_trait]
impl Write for Retry {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let Some(job) = find(self.id, tx).await?.filter(|job| job.state.can_retry()) else { return Ok(false) };
        // The next attempt takes the columns of the one that has done the job, which gets a row now.
        tx.execute(sqlx::query!(
            "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome)
             select id, (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = job.id),
                    attempt, done_by, started_at_ms, finished_at_ms, 'done'
             from job where id = ?1 and done_by is not null",
            self.id.0
        ))
        .await?;
        tx.execute(sqlx::query!(
            "update job
             set state = 'waiting', run_at_ms = ?1, max_attempts = max(max_attempts, attempt + 1),
                 done_by = null, finished_at_ms = null, error = null, cancel_requested = 0
             where id = ?2",
            self.now.0,
            self.id.0
        ))
        .await?;
        tx.changes.moved(&job.kind, job.state, JobState::Waiting);
        if let (JobState::Done, LOG_JOB, Some(search)) = (job.state, job.kind.as_str(), job.key) {
            note_reopened(&[search], tx).await?;
        }
        tx.sign(&self.by, act(AuditAction::RetryJob, self.id, &job.kind)).await?;
        Ok(true)
    }
}

pub(super) struct Cancel {
    pub(super) id: JobId,
    pub(super) now: TimeMs,
    pub(super) by: Option<Signature>,
}

#[async_trait]
impl Write for Cancel {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let Some(job) = find(self.id, tx).await?.filter(|job| job.state.can_cancel()) else { return Ok(false) };
        if job.state == JobState::Running {
            tx.execute(sqlx::query!("update job set cancel_requested = 1 where id = ?1", self.id.0)).await?;
            tx.changes.topic(Topic::Cancel);
            tx.changes.topic(Topic::Jobs);
        } else {
            let cancelled = sqlx::query!(
                "update job set state = 'cancelled', finished_at_ms = ?1 where id = ?2",
                self.now.0,
                self.id.0
            );
            tx.execute(cancelled).await?;
            tx.changes.moved(&job.kind, job.state, JobState::Cancelled);
        }
        if let Some(by) = &self.by {
            tx.sign(by, act(AuditAction::CancelJob, self.id, &job.kind)).await?;
        }
        Ok(true)
    }
}

fn act(action: AuditAction, id: JobId, kind: &str) -> Act<'_> {
    Act { action, job: Some(id), target: kind, detail: None }
}

/// The job that an action targets.
struct TargetJob {
    kind: String,
    state: JobState,
    key: Option<String>,
}

async fn find(id: JobId, tx: &mut Transaction<'_>) -> Result<Option<TargetJob>> {
    let job = sqlx::query!("select kind, state, key from job where id = ?1", id.0);
    let Some(job) = tx.fetch_optional(job).await? else { return Ok(None) };
    Ok(Some(TargetJob { kind: job.kind, state: job_state(&job.state)?, key: job.key }))
}

pub(super) struct Prune {
    pub(super) before: TimeMs,
    pub(super) limit: u32,
}

#[async_trait]
impl Write for Prune {
    type Answer = u64;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<u64> {
        let pruned = sqlx::query_scalar!(
            "delete from job
             where id in (
                 select id from job indexed by job_ended
                 where state in ('done', 'cancelled') and finished_at_ms < ?1
                   and (kind <> 'log_request' or state = 'cancelled'
                        or exists (select 1 from log where search_id = job.key))
                 order by finished_at_ms limit ?2
             )
             returning state",
            self.before.0,
            self.limit
        );
        let pruned = tx.fetch_all(pruned).await?;
        for state in &pruned {
            tx.changes.deleted(job_state(state)?);
        }
        Ok(pruned.len() as u64)
    }
}

pub(super) struct Delete {
    pub(super) id: JobId,
    pub(super) by: Option<Signature>,
}

#[async_trait]
impl Write for Delete {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let deleted = sqlx::query!(
            "delete from job
             where id = ?1 and state in ('done', 'dead', 'cancelled')
               and (kind <> 'log_request' or exists (select 1 from log where search_id = job.key))
             returning state, kind",
            self.id.0
        );
        let Some(deleted) = tx.fetch_optional(deleted).await? else { return Ok(false) };
        tx.changes.deleted(job_state(&deleted.state)?);
        if let Some(by) = &self.by {
            tx.sign(by, act(AuditAction::DeleteJob, self.id, &deleted.kind)).await?;
        }
        Ok(true)
    }
}
