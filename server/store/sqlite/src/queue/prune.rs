//! Deleting jobs of which nothing more is to be learned.

use api::{JobId, TimeMs};
use async_trait::async_trait;
use store::Result;
use store::codec::job_state;

use crate::error::store_error;
use crate::writer::{Write, WriteTx};

pub(crate) struct Prune {
    pub(crate) before: TimeMs,
    pub(crate) limit: u32,
}

#[async_trait]
impl Write for Prune {
    type Answer = u64;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<u64> {
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
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        for state in &pruned {
            tx.changes.deleted(job_state(state)?);
        }
        Ok(pruned.len() as u64)
    }
}

pub(crate) struct Delete {
    pub(crate) id: JobId,
}

#[async_trait]
impl Write for Delete {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let deleted = sqlx::query_scalar!(
            "delete from job
             where id = ?1 and state in ('done', 'dead', 'cancelled')
               and (kind <> 'log_request' or exists (select 1 from log where search_id = job.key))
             returning state",
            self.id.0
        )
        .fetch_optional(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        if let Some(state) = &deleted {
            tx.changes.deleted(job_state(state)?);
        }
        Ok(deleted.is_some())
    }
}
