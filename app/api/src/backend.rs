//! The whole menu: all that server functions can ask of the server, one line per dish.

use std::sync::Arc;

use async_trait::async_trait;
use leptos::prelude::use_context;

use crate::{
    Account, ApiError, ErrorCode, JobCounts, JobDetail, JobFilter, JobId, JobKind, JobsPage, LabRun, LabRunId, LabSpec,
    LabState, SearchAnswer, SearchId, SessionInfo, SystemState,
};

/// What answers the server functions. One value serves one request: it knows who asks.
#[async_trait]
pub trait Backend: Send + Sync {
    async fn search(
        &self,
        phrase: String,
        letters: Option<String>,
        id: Option<SearchId>,
    ) -> Result<SearchAnswer, ApiError>;

    async fn session(&self) -> Result<SessionInfo, ApiError>;
    async fn login(&self, name: String, password: String) -> Result<Account, ApiError>;
    async fn logout(&self) -> Result<(), ApiError>;
    async fn set_up(&self, token: String, name: String, password: String) -> Result<Account, ApiError>;

    async fn job_counts(&self) -> Result<JobCounts, ApiError>;
    async fn jobs(&self, filter: JobFilter, before: Option<JobId>) -> Result<JobsPage, ApiError>;
    async fn job(&self, id: JobId) -> Result<JobDetail, ApiError>;
    async fn retry_job(&self, id: JobId) -> Result<(), ApiError>;
    async fn cancel_job(&self, id: JobId) -> Result<(), ApiError>;

    async fn job_kinds(&self) -> Result<Vec<JobKind>, ApiError>;
    async fn pause_kind(&self, kind: String) -> Result<(), ApiError>;
    async fn resume_kind(&self, kind: String) -> Result<(), ApiError>;
    async fn limit_kind(&self, kind: String, limit: Option<u32>) -> Result<(), ApiError>;

    async fn lab(&self) -> Result<LabState, ApiError>;
    async fn start_lab_run(&self, id: LabRunId, spec: LabSpec) -> Result<LabRun, ApiError>;
    async fn lab_run(&self, id: LabRunId) -> Result<LabRun, ApiError>;
    async fn cancel_lab_run(&self, id: LabRunId) -> Result<(), ApiError>;

    async fn system(&self) -> Result<SystemState, ApiError>;
}

/// The backend of the request that is being answered.
pub fn backend() -> Result<Arc<dyn Backend>, ApiError> {
    use_context().ok_or_else(|| ApiError::new(ErrorCode::Internal, "The server function was called without a backend."))
}
