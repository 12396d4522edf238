//! Kinds of jobs, as administrators see and steer them.

use api::{Account, ApiError, ErrorCode, JobKind, JobState};
use store::{StoredJob, StoredKind};

use crate::app_state::Environment;
use crate::platform::error::from_store;

/// What an administrator decides for a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Pause,
    Resume,
    Limit(Option<u32>),
}

pub async fn all(env: &Environment) -> store::Result<Vec<JobKind>> {
    Ok(env.store.kinds().await?.into_iter().map(shown).collect())
}

/// Carries it out, and writes down who gave it.
pub async fn order(env: &Environment, kind: &str, order: Order, by: &Account) -> Result<(), ApiError> {
    if order == Order::Limit(Some(0)) {
        let message = "A limit is at least 1. To let no job of a kind begin, pause it.";
        return Err(ApiError::at(ErrorCode::Invalid, "limit", message));
    }
    if !carry_out(env, kind, order).await.map_err(from_store)? {
        return Err(ApiError::not_found("kind of job"));
    }
    tracing::info!(kind, ?order, by = ?by.name, "an order was carried out");
    Ok(())
}

/// One sentence on why a job that has not begun may not, because of its kind.
pub async fn hindrance(env: &Environment, job: &StoredJob) -> Result<Option<String>, ApiError> {
    let kinds = env.store.kinds().await.map_err(from_store)?;
    let Some(kind) = kinds.into_iter().find(|kind| kind.kind == job.kind) else { return Ok(None) };
    let is_full = kind.limit.filter(|limit| u64::from(*limit) <= kind.counts.running);
    Ok(match (kind.paused, is_full) {
        (true, _) => Some(format!("Jobs of the kind {} are paused: it runs once somebody resumes them.", kind.kind)),
        (false, Some(limit)) if job.state == JobState::Waiting => {
            Some(format!("At most {limit} jobs of the kind {} run at the same time, and so many do.", kind.kind))
        }
        _ => None,
    })
}

async fn carry_out(env: &Environment, kind: &str, order: Order) -> store::Result<bool> {
    // No kind has such a name, and not every database takes one for a text.
    if kind.contains('\0') {
        return Ok(false);
    }
    match order {
        Order::Pause => env.store.pause_kind(kind).await,
        Order::Resume => env.store.resume_kind(kind).await,
        Order::Limit(limit) => env.store.limit_kind(kind, limit).await,
    }
}

fn shown(StoredKind { kind, paused, limit, counts }: StoredKind) -> JobKind {
    JobKind { kind, paused, limit, counts }
}
