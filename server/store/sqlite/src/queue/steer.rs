//! What an administrator does to one job.

use api::{JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::job_state;
use store::{Result, Topic};

use crate::error::store_error;
use crate::writer::{Write, WriteTx};

pub(crate) struct Retry {
    pub(crate) id: JobId,
    pub(crate) now: TimeMs,
}

#[async_trait]
impl Write for Retry {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let Some(job) = find(self.id, tx).await?.filter(|job| job.state.can_retry()) else { return Ok(false) };
        sqlx::query!(
            "update job
             set state = 'waiting', run_at_ms = ?1, max_attempts = max(max_attempts, attempt + 1),
                 finished_at_ms = null, error = null, cancel_requested = 0
             where id = ?2",
            self.now.0,
            self.id.0
        )
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        tx.changes.moved(&job.kind, job.state, JobState::Waiting);
        if job.state == JobState::Done && job.has_row {
            tx.changes.ledger.reopened += 1;
        }
        Ok(true)
    }
}

pub(crate) struct Cancel {
    pub(crate) id: JobId,
    pub(crate) now: TimeMs,
}

#[async_trait]
impl Write for Cancel {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let Some(job) = find(self.id, tx).await?.filter(|job| job.state.can_cancel()) else { return Ok(false) };
        if job.state == JobState::Running {
            sqlx::query!("update job set cancel_requested = 1 where id = ?1", self.id.0)
                .execute(&mut *tx.connection)
                .await
                .map_err(store_error)?;
            tx.changes.touched(Topic::Cancel);
            tx.changes.touched(Topic::Jobs);
        } else {
            sqlx::query!(
                "update job set state = 'cancelled', finished_at_ms = ?1 where id = ?2",
                self.now.0,
                self.id.0
            )
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
            tx.changes.moved(&job.kind, job.state, JobState::Cancelled);
        }
        Ok(true)
    }
}

struct Steered {
    kind: String,
    state: JobState,
    /// Whether it is a search's job, and that search is in the log.
    has_row: bool,
}

async fn find(id: JobId, tx: &mut WriteTx<'_>) -> Result<Option<Steered>> {
    let job = sqlx::query!(
        r#"select kind, state,
                  kind = 'log_request' and exists (select 1 from log where search_id = job.key) as "has_row!: bool"
           from job where id = ?1"#,
        id.0
    )
    .fetch_optional(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    let Some(job) = job else { return Ok(None) };
    Ok(Some(Steered { kind: job.kind, state: job_state(&job.state)?, has_row: job.has_row }))
}
