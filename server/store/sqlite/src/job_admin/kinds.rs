//! Kinds of jobs, with an administrator's settings.

use api::{AuditAction, JobCounts};
use async_trait::async_trait;
use store::codec::{count, job_state};
use store::{Result, Signature, StoredKind, Topic};

use crate::audit::Act;
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

/// A change of a kind's settings. Answers whether it changed a row.
pub(super) struct ChangeKind {
    pub(super) kind: String,
    pub(super) change: KindChange,
    /// `None` if the server itself registers it.
    pub(super) by: Option<Signature>,
}

pub(super) enum KindChange {
    /// Adds the kind with this limit, unless it exists.
    Register(Option<u32>),
    Pause,
    Resume,
    Limit(Option<u32>),
}

impl KindChange {
    /// The action and its detail, if it is a person's.
    fn for_audit(&self) -> Option<(AuditAction, Option<String>)> {
        match self {
            Self::Register(_) => None,
            Self::Pause => Some((AuditAction::PauseKind, None)),
            Self::Resume => Some((AuditAction::ResumeKind, None)),
            Self::Limit(limit) => Some((AuditAction::LimitKind, limit.map(|limit| limit.to_string()))),
        }
    }
}

#[async_trait]
impl Write for ChangeKind {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let Self { kind, change, by } = self;
        let changed = match change {
            KindChange::Register(limit) => {
                let registered = sqlx::query!(
                    "insert into job_kind (kind, concurrency) values (?1, ?2) on conflict (kind) do nothing",
                    kind,
                    limit
                );
                tx.execute(registered).await?
            }
            KindChange::Pause | KindChange::Resume => {
                let paused = matches!(change, KindChange::Pause);
                tx.execute(sqlx::query!("update job_kind set paused = ?1 where kind = ?2", paused, kind)).await?
            }
            KindChange::Limit(limit) => {
                tx.execute(sqlx::query!("update job_kind set concurrency = ?1 where kind = ?2", limit, kind)).await?
            }
        };
        if changed > 0 {
            tx.changes.topic(Topic::Jobs);
            // A new limit may leave room for more jobs. If it does not, the workers just sleep again.
            if matches!(change, KindChange::Resume | KindChange::Limit(_)) {
                tx.changes.topic(Topic::Work);
            }
            if let Some((by, (action, detail))) = by.as_ref().zip(change.for_audit()) {
                tx.sign(by, Act { action, job: None, target: kind, detail }).await?;
            }
        }
        Ok(changed > 0)
    }
}
