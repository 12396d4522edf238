//! Admin actions on jobs and on kinds of jobs.

use api::{ApiError, ErrorCode, JobId};

use store::Signature;

use super::JobService;
use crate::platform::error::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobAction {
    Retry,
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KindAction {
    Pause,
    Resume,
    Limit(Option<u32>),
}

impl JobAction {
    fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        }
    }
}

impl JobService {
    /// Performs the action, and logs who requested it.
    pub(super) async fn act_on_job(&self, id: JobId, action: JobAction, by: &Signature) -> Result<()> {
        let done = match action {
            JobAction::Retry => self.store.retry_job(id, self.clock.steady(), by).await?,
            JobAction::Cancel => self.store.cancel_job(id, self.clock.wall(), Some(by)).await?,
        };
        let action = action.as_str();
        if done {
            tracing::info!(job = id.0, action, by = ?by.by, "an administrator's action was carried out");
            return Ok(());
        }
        let job = self.store.job(id).await?.ok_or_else(|| ApiError::not_found("job"))?;
        let message = format!("Job {} is {}: there is nothing to {action}.", id.0, job.state.as_str());
        Err(ApiError::new(ErrorCode::Conflict, message).into())
    }

    /// Performs the action, and logs who requested it.
    pub(super) async fn act_on_kind(&self, kind: &str, action: KindAction, by: &Signature) -> Result<()> {
        if action == KindAction::Limit(Some(0)) {
            let message = "A limit is at least 1. To let no job of a type begin, pause it.";
            return Err(ApiError::at(ErrorCode::Invalid, "limit", message).into());
        }
        // No kind has NUL in its name, and not every database accepts NUL in a text.
        let exists = !kind.contains('\0')
            && match action {
                KindAction::Pause => self.store.pause_kind(kind, by).await?,
                KindAction::Resume => self.store.resume_kind(kind, by).await?,
                KindAction::Limit(limit) => self.store.limit_kind(kind, limit, by).await?,
            };
        if !exists {
            return Err(ApiError::not_found("job type").into());
        }
        tracing::info!(kind, ?action, by = ?by.by, "an administrator's action was carried out");
        Ok(())
    }
}
