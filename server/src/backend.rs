//! What answers the server functions: the menu's dishes, made from the store.

use std::sync::Arc;

use api::{
    Account, ApiError, Backend, DEFAULT_LETTERS, ErrorCode, JobCounts, JobDetail, JobFilter, JobId, JobKind, JobsPage,
    LETTERS_LIMIT, LabRun, LabRunId, LabSpec, LabState, PHRASE_LIMIT, Recorded, Role, SearchAnswer, SearchId,
    SessionInfo, SystemState,
};
use async_trait::async_trait;
use leptos_axum::ResponseOptions;

use crate::accounts;
use crate::accounts::cookie;
use crate::app_state::Environment;
use crate::jobs::kinds::Order;
use crate::jobs::{kinds, view};
use crate::platform::caller::Caller;
use crate::platform::error::from_store;
use crate::platform::token::Token;
use crate::search::accept;
use crate::search::log_request::LogRequest;
use crate::{lab, system};

/// One request's backend.
pub struct RequestBackend {
    pub env: Arc<Environment>,
    pub caller: Caller,
    /// Where cookies for the answer go.
    pub response: ResponseOptions,
}

/// The most jobs on one page.
const JOBS_PAGE: u32 = 50;

#[async_trait]
impl Backend for RequestBackend {
    async fn search(
        &self,
        phrase: String,
        letters: Option<String>,
        id: Option<SearchId>,
    ) -> Result<SearchAnswer, ApiError> {
        let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
        within("phrase", &phrase, PHRASE_LIMIT)?;
        within("letters", &letters, LETTERS_LIMIT)?;
        let found = api::search4letters(&phrase, &letters);
        let id = id.unwrap_or_else(|| self.env.new_search_id());
        let request = accept::log_request(&self.env, &self.caller, id, phrase, letters, &found);
        let recorded = accept::accept(&self.env, &request).await?;
        self.env.metrics.searched(recorded);
        Ok(answer(&self.env, request, found, recorded))
    }

    async fn session(&self) -> Result<SessionInfo, ApiError> {
        let account = accounts::who(&self.env, &self.caller).await?;
        let has_accounts = account.is_some() || self.env.store.has_accounts().await.map_err(from_store)?;
        Ok(SessionInfo { account, has_accounts })
    }

    async fn login(&self, name: String, password: String) -> Result<Account, ApiError> {
        let (account, token) = accounts::log_in(&self.env, &self.caller, &name, password).await?;
        self.set_session(&token);
        Ok(account)
    }

    async fn logout(&self) -> Result<(), ApiError> {
        accounts::log_out(&self.env, &self.caller).await?;
        self.response.append_header(axum::http::header::SET_COOKIE, cookie::removed(self.caller.is_https));
        Ok(())
    }

    async fn set_up(&self, token: String, name: String, password: String) -> Result<Account, ApiError> {
        let (account, token) = accounts::set_up(&self.env, &Token::received(&token), name, password).await?;
        self.set_session(&token);
        Ok(account)
    }

    async fn job_counts(&self) -> Result<JobCounts, ApiError> {
        self.caller.require(Role::Viewer)?;
        self.env.store.job_counts().await.map_err(from_store)
    }

    async fn jobs(&self, filter: JobFilter, before: Option<JobId>) -> Result<JobsPage, ApiError> {
        self.caller.require(Role::Viewer)?;
        let page = self.env.store.jobs(filter, before, JOBS_PAGE).await.map_err(from_store)?;
        Ok(JobsPage { jobs: page.jobs.iter().map(view::summary).collect(), next: page.next })
    }

    async fn job(&self, id: JobId) -> Result<JobDetail, ApiError> {
        self.caller.require(Role::Viewer)?;
        view::detail(&self.env, id).await
    }

    async fn retry_job(&self, id: JobId) -> Result<(), ApiError> {
        let account = self.caller.require(Role::Operator)?;
        let done = self.env.store.retry_job(id, self.env.clock.steady()).await.map_err(from_store)?;
        view::steered(&self.env, id, done, "retry", account).await
    }

    async fn cancel_job(&self, id: JobId) -> Result<(), ApiError> {
        let account = self.caller.require(Role::Operator)?;
        let done = self.env.store.cancel_job(id, self.env.clock.wall()).await.map_err(from_store)?;
        view::steered(&self.env, id, done, "cancel", account).await
    }

    async fn job_kinds(&self) -> Result<Vec<JobKind>, ApiError> {
        self.caller.require(Role::Viewer)?;
        kinds::all(&self.env).await.map_err(from_store)
    }

    async fn pause_kind(&self, kind: String) -> Result<(), ApiError> {
        let account = self.caller.require(Role::Operator)?;
        kinds::order(&self.env, &kind, Order::Pause, account).await
    }

    async fn resume_kind(&self, kind: String) -> Result<(), ApiError> {
        let account = self.caller.require(Role::Operator)?;
        kinds::order(&self.env, &kind, Order::Resume, account).await
    }

    async fn limit_kind(&self, kind: String, limit: Option<u32>) -> Result<(), ApiError> {
        let account = self.caller.require(Role::Operator)?;
        kinds::order(&self.env, &kind, Order::Limit(limit), account).await
    }

    async fn lab(&self) -> Result<LabState, ApiError> {
        lab::state(&self.env, &self.caller).await
    }

    async fn start_lab_run(&self, id: LabRunId, spec: LabSpec) -> Result<LabRun, ApiError> {
        lab::start(&self.env, &self.caller, id, spec).await
    }

    async fn lab_run(&self, id: LabRunId) -> Result<LabRun, ApiError> {
        lab::run(&self.env, &self.caller, id).await
    }

    async fn cancel_lab_run(&self, id: LabRunId) -> Result<(), ApiError> {
        lab::cancel(&self.env, &self.caller, id).await
    }

    async fn system(&self) -> Result<SystemState, ApiError> {
        self.caller.require(Role::Viewer)?;
        Ok(system::gather(&self.env).await.state)
    }
}

impl RequestBackend {
    fn set_session(&self, token: &Token) {
        self.response.append_header(axum::http::header::SET_COOKIE, cookie::session(token, self.caller.is_https));
    }
}

fn within(field: &str, text: &str, limit: usize) -> Result<(), ApiError> {
    let count = text.chars().count();
    if count > limit {
        let message = format!("The {field} has {count} characters; at most {limit} are searched.");
        return Err(ApiError::at(ErrorCode::TooLong, field, message));
    }
    Ok(())
}

fn answer(
    env: &Environment,
    request: LogRequest,
    found: std::collections::BTreeSet<char>,
    recorded: Recorded,
) -> SearchAnswer {
    SearchAnswer {
        receipt: env.receipts.of(request.id),
        id: request.id,
        phrase: request.phrase,
        letters: request.letters,
        results: found.into_iter().map(String::from).collect(),
        text: request.results,
        recorded,
    }
}
