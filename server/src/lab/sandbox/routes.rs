//! Routes that only sandboxes have: searches whose log write is not a job, and the searches in the log.

use std::sync::Arc;
use std::time::Duration;

use api::{JobId, SearchId, TimeMs};
use axum::extract::{FromRef, State};
use axum::routing::post;
use axum::{Json, Router};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use store::{
    AttemptResult, Clock, FinishedAttempt, LogEntry, LogQuery, LogSpan, SearchRecord, Store, Topic, WorkerName,
};

use crate::platform::caller::{Caller, CallerSettings};
use crate::platform::error::Result;

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

/// What a sandbox's routes need.
#[derive(Clone)]
pub struct SandboxState {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub caller_settings: CallerSettings,
    /// Makes the record that a real search would pass to its job.
    pub record_of: fn(&Caller, SearchId, String, String, TimeMs) -> SearchRecord,
    /// How long each write takes.
    pub delay: Duration,
}

impl FromRef<SandboxState> for CallerSettings {
    fn from_ref(state: &SandboxState) -> Self {
        state.caller_settings.clone()
    }
}

/// The routes that a sandbox has in addition to those of every server.
pub fn routes(state: SandboxState) -> Router {
    Router::new()
        .route(AWAITED, post(awaited))
        .route(BARE_TASK, post(bare_task))
        .route(RECORDED, post(recorded))
        .with_state(state)
}

/// Answers with the letters found once the row is written.
async fn awaited(
    State(sandbox): State<SandboxState>,
    caller: Caller,
    Json(search): Json<SandboxSearch>,
) -> Result<Json<String>> {
    let record = sandbox.record(&caller, search);
    let results = record.results.clone();
    sandbox.write(record).await?;
    Ok(Json(results))
}

/// Answers with the letters found at once. The pending write exists only in this process's memory.
async fn bare_task(
    State(sandbox): State<SandboxState>,
    caller: Caller,
    Json(search): Json<SandboxSearch>,
) -> Json<String> {
    let record = sandbox.record(&caller, search);
    let results = record.results.clone();
    tokio::spawn(async move { sandbox.write(record).await });
    Json(results)
}

/// Answers with the searches in the log: as soon as the awaited one is among them, or when the time is up.
async fn recorded(
    State(SandboxState { store, clock, .. }): State<SandboxState>,
    Json(awaited): Json<AwaitedRow>,
) -> Result<Json<Vec<SearchId>>> {
    let mut changes = store.subscribe(Topic::Log);
    let deadline = clock.steady().after(Duration::from_millis(awaited.patience_ms.into()));
    loop {
        let is_over = clock.steady() >= deadline;
        let searches = searches_in_log(&*store).await?;
        if is_over || searches.contains(&awaited.search) {
            return Ok(Json(searches));
        }
        tokio::select! {
            () = changes.changed() => {}
            () = clock.sleep_until(deadline) => {}
        }
    }
}

async fn searches_in_log(store: &dyn Store) -> store::Result<Vec<SearchId>> {
    let query = LogQuery { span: LogSpan::Newest, limit: u32::MAX };
    store.log_rows(query).map_ok(|row| row.search_id).try_collect().await
}

impl SandboxState {
    fn record(&self, caller: &Caller, SandboxSearch { id, phrase, letters }: SandboxSearch) -> SearchRecord {
        (self.record_of)(caller, id, phrase, letters, self.clock.wall())
    }

    /// Writes the row that the job would write, after the same delay; only this future knows of it.
    async fn write(&self, record: SearchRecord) -> store::Result<()> {
        self.clock.sleep_until(self.clock.steady().after(self.delay)).await;
        let wall = self.clock.wall();
        // There is no job, so no attempt ends with the write.
        let job = JobId(0);
        let worker = WorkerName("none".to_owned());
        let nothing =
            FinishedAttempt { job, attempt: 0, worker, result: AttemptResult::Done, now: self.clock.steady(), wall };
        self.store.record(LogEntry { search: record, job_id: job, recorded_at: wall }, nothing).await.map(drop)
    }
}
