//! Routes that only sandboxes have: searches whose log write is not a job, and the searches in the log.

use std::sync::Arc;
use std::time::Duration;

use api::{JobId, SearchId};
use axum::extract::State;
use axum::http::request::Parts;
use axum::routing::post;
use axum::{Json, Router};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use store::{AttemptResult, FinishedAttempt, LogQuery, LogSpan, Store, Topic, WorkerName};

use crate::app_state::Environment;
use crate::platform::caller::Caller;
use crate::platform::error::{ErrorResponse, from_store};
use crate::search::accept;
use crate::search::log_request::LogRequest;

pub(in crate::lab) const AWAITED: &str = "/sandbox/awaited";
pub(in crate::lab) const BARE_TASK: &str = "/sandbox/bare-task";
pub(super) const RECORDED: &str = "/sandbox/recorded";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct SandboxSearch {
    pub(in crate::lab) id: SearchId,
    pub(in crate::lab) phrase: String,
    pub(in crate::lab) letters: String,
}

/// Which row to wait for, and how long at most.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct AwaitedRow {
    pub(super) search: SearchId,
    pub(super) patience_ms: u32,
}

#[derive(Clone)]
struct SandboxState {
    env: Arc<Environment>,
    delay: Duration,
}

/// In addition to those of every server. Each write takes `delay`.
pub fn routes(env: Arc<Environment>, delay: Duration) -> Router {
    Router::new()
        .route(AWAITED, post(awaited))
        .route(BARE_TASK, post(bare_task))
        .route(RECORDED, post(recorded))
        .with_state(SandboxState { env, delay })
}

/// Answers with the letters found once the row is written.
async fn awaited(
    State(sandbox): State<SandboxState>,
    parts: Parts,
    Json(search): Json<SandboxSearch>,
) -> Result<Json<String>, ErrorResponse> {
    let request = sandbox.log_request(&parts, search);
    let results = request.results.clone();
    sandbox.write(request).await.map_err(from_store)?;
    Ok(Json(results))
}

/// Answers with the letters found at once. What is to be written exists only in this process's memory.
async fn bare_task(
    State(sandbox): State<SandboxState>,
    parts: Parts,
    Json(search): Json<SandboxSearch>,
) -> Json<String> {
    let request = sandbox.log_request(&parts, search);
    let results = request.results.clone();
    tokio::spawn(async move { sandbox.write(request).await });
    Json(results)
}

/// Answers with the searches in the log: as soon as the awaited one is among them, or when the time is over.
async fn recorded(
    State(SandboxState { env, .. }): State<SandboxState>,
    Json(awaited): Json<AwaitedRow>,
) -> Result<Json<Vec<SearchId>>, ErrorResponse> {
    let mut changes = env.store.subscribe(Topic::Log);
    let deadline = env.clock.steady().after(Duration::from_millis(awaited.patience_ms.into()));
    loop {
        let is_over = env.clock.steady() >= deadline;
        let searches = searches_in_log(&*env.store).await.map_err(from_store)?;
        if is_over || searches.contains(&awaited.search) {
            return Ok(Json(searches));
        }
        tokio::select! {
            () = changes.changed() => {}
            () = env.clock.sleep_until(deadline) => {}
        }
    }
}

async fn searches_in_log(store: &dyn Store) -> store::Result<Vec<SearchId>> {
    let query = LogQuery { span: LogSpan::Newest, limit: u32::MAX };
    store.log_rows(query).map_ok(|row| row.search_id).try_collect().await
}

impl SandboxState {
    /// What a real search would hand to its job.
    fn log_request(&self, parts: &Parts, search: SandboxSearch) -> LogRequest {
        let SandboxSearch { id, phrase, letters } = search;
        let found = api::search4letters(&phrase, &letters);
        let caller = Caller::of(parts, &self.env.trusted_proxies);
        accept::log_request(&self.env, &caller, id, phrase, letters, &found)
    }

    /// Writes the row that the job would write, after the same delay; only this future knows of it.
    async fn write(&self, request: LogRequest) -> store::Result<()> {
        let Self { env, delay } = self;
        env.clock.sleep_until(env.clock.steady().after(*delay)).await;
        let wall = env.clock.wall();
        // No job, so no attempt that could end with it.
        let job = JobId(0);
        let worker = WorkerName("none".to_owned());
        let nothing =
            FinishedAttempt { job, attempt: 0, worker, finish: AttemptResult::Done, now: env.clock.steady(), wall };
        env.store.record(request.into_entry(job, wall), nothing).await.map(drop)
    }
}
