//! Kinds of jobs, with an administrator's settings.

use api::JobCounts;
use async_trait::async_trait;
use store::codec::{count, job_state};
use store::{Result, StoredKind, Topic};

use crate::connections::Connections;
use crate::transaction::Transaction;
use crate::writer::Write;

pub(super) async fn kinds(connections: &Connections) -> Result<Vec<StoredKind>> {
    let rows = sqlx::query!(
        r#"select job_kind.kind, paused as "paused!: bool", concurrency as "limit: u32",
                  state as "state?", count as "count?: i64"
           from job_kind left join job_count on job_count.kind = job_kind.kind
           order by job_kind.kind"#
    );
    let mut kinds: Vec<StoredKind> = Vec::new();
    for row in connections.fetch_all(rows).await? {
        if kinds.last().is_none_or(|last| last.kind != row.kind) {
            let counts = JobCounts::default();
            kinds.push(StoredKind { kind: row.kind, paused: row.paused, limit: row.limit, counts });
        }
        if let (Some(kind), Some(state), Some(jobs)) = (kinds.last_mut(), row.state, row.count) {
            kind.counts.set(job_state(&state)?, count(jobs));
        }
    }
    Ok(kinds)
}

pub(super) struct SetKindPaused {
    pub(super) kind: String,
    pub(super) paused: bool,
}

#[async_trait]
impl Write for SetKindPaused {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let updated = sqlx::query!("update job_kind set paused = ?1 where kind = ?2", self.paused, self.kind);
        let exists = tx.execute(updated).await? > 0;
        if exists {
            tx.changes.topic(Topic::Jobs);
            if !self.paused {
                tx.changes.topic(Topic::Work);
            }
        }
        Ok(exists)
    }
}

pub(super) struct RegisterKind {
    pub(super) kind: String,
    pub(super) limit: Option<u32>,
}

#[async_trait]
impl Write for RegisterKind {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
        let registered = sqlx::query!(
            "insert into job_kind (kind, concurrency) values (?1, ?2) on conflict (kind) do nothing",
            self.kind,
            self.limit
        );
        if tx.execute(registered).await? > 0 {
            tx.changes.topic(Topic::Jobs);
        }
        Ok(())
    }
}

pub(super) struct LimitKind {
    pub(super) kind: String,
    pub(super) limit: Option<u32>,
}

#[async_trait]
impl Write for LimitKind {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let updated = sqlx::query!("update job_kind set concurrency = ?1 where kind = ?2", self.limit, self.kind);
        let exists = tx.execute(updated).await? > 0;
        if exists {
            tx.changes.topic(Topic::Jobs);
            // The new limit may leave room for more jobs. If it does not, the workers just sleep again.
            tx.changes.topic(Topic::Work);
        }
        Ok(exists)
    }
}
