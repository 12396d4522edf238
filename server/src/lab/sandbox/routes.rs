//! What only sandboxes answer: searches whose log write is not a job, and which searches are in the log.

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

/// A search.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct Question {
    pub(in crate::lab) id: SearchId,
    pub(in crate::lab) phrase: String,
    pub(in crate::lab) letters: String,
}

/// Which row is waited for, and for how long at most.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    pub(super) search: SearchId,
    pub(super) patience_ms: u32,
}

#[derive(Clone)]
struct Sandboxed {
    env: Arc<Environment>,
    delay: Duration,
}

/// Beside those of every server. Each write takes `delay`.
pub fn routes(env: Arc<Environment>, delay: Duration) -> Router {
    Router::new()
        .route(AWAITED, post(awaited))
        .route(BARE_TASK, post(bare_task))
        .route(RECORDED, post(recorded))
        .with_state(Sandboxed { env, delay })
}

/// The letters found, once the row is written.
async fn awaited(
    State(sandboxed): State<Sandboxed>,
    parts: Parts,
    Json(question): Json<Question>,
) -> Result<Json<String>, ErrorResponse> {
    let request = sandboxed.log_request(&parts, question);
    let results = request.results.clone();
    sandboxed.write(request).await.map_err(from_store)?;
    Ok(Json(results))
}

/// The letters found, at once. What is to be written exists only in this process's memory.
async fn bare_task(State(sandboxed): State<Sandboxed>, parts: Parts, Json(question): Json<Question>) -> Json<String> {
    let request = sandboxed.log_request(&parts, question);
    let results = request.results.clone();
    tokio::spawn(async move { sandboxed.write(request).await });
    Json(results)
}

/// The searches in the log: as soon as the one that is asked for is among them, or when the time is over.
async fn recorded(
    State(Sandboxed { env, .. }): State<Sandboxed>,
    Json(watch): Json<Watch>,
) -> Result<Json<Vec<SearchId>>, ErrorResponse> {
    let mut changes = env.store.subscribe(Topic::Log);
    let deadline = env.clock.steady().after(Duration::from_millis(watch.patience_ms.into()));
    loop {
        let is_over = env.clock.steady() >= deadline;
        let searches = searches_in_log(&*env.store).await.map_err(from_store)?;
        if is_over || searches.contains(&watch.search) {
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

impl Sandboxed {
    /// What a real search would hand to its job.
    fn log_request(&self, parts: &Parts, question: Question) -> LogRequest {
        let Question { id, phrase, letters } = question;
        let found = api::search4letters(&phrase, &letters);
        let caller = Caller::of(parts, &self.env.trusted_proxies);
        accept::log_request(&self.env, &caller, id, phrase, letters, &found)
    }

    /// The same row as that of the job, after the same wait, in the hands of nobody but this future.
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
