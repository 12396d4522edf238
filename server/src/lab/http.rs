//! Server functions for the waiting lab, and the stream of a run.

use std::sync::Arc;
use std::time::Duration;

use api::{LabApi, LabRun, LabRunId, LabSpec, LabState};
use async_trait::async_trait;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use serde::Deserialize;
use store::Topic;

use super::Lab;
use super::runs::Viewer;
use crate::platform::caller::Caller;
use crate::platform::error::Result;
use crate::platform::extract::{InPath, Parameters, PathParameter};
use crate::platform::server_functions::{ApiResult, Call};
use crate::platform::sse::{EventStream, Source, Step, StreamPermit, Then, last_event_id};

/// Throttles the stream. Parts come every tenth of a second.
const PAUSE: Duration = Duration::from_millis(50);
/// How many parts are read at a time.
const BATCH: u32 = 50;

#[async_trait]
impl LabApi for Call<Lab> {
    async fn lab(&self) -> ApiResult<LabState> {
        Ok(self.service.state(&self.caller).await?)
    }

    async fn start_lab_run(&self, id: LabRunId, spec: LabSpec) -> ApiResult<LabRun> {
        Ok(self.service.start(&self.caller, id, spec).await?)
    }

    async fn lab_run(&self, id: LabRunId) -> ApiResult<LabRun> {
        Ok(self.service.run(&self.caller, id).await?)
    }

    async fn cancel_lab_run(&self, id: LabRunId) -> ApiResult<()> {
        Ok(self.service.cancel(&self.caller, id).await?)
    }
}

impl PathParameter for LabRunId {
    const NAME: &'static str = "run";

    fn parse(text: String) -> Option<Self> {
        text.parse().ok()
    }
}

/// The explanation that the lab's pages link to, as plain text.
pub async fn guide() -> &'static str {
    include_str!("../../../docs/lab.md")
}

#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    after: Option<u32>,
}

/// Sends `part` for each part of the output after the cursor, and `run` whenever the run has changed, until it has
/// ended.
///
/// The cursor is the Last-Event-ID of a reconnecting browser, or else `after`. The event with the run's end follows all
/// parts.
pub async fn events(
    State(lab): State<Arc<Lab>>,
    InPath(id): InPath<LabRunId>,
    Parameters(query): Parameters<EventsQuery>,
    permit: StreamPermit,
    caller: Caller,
    headers: HeaderMap,
) -> Result<EventStream> {
    let viewer = lab.viewer(&caller).await?;
    let cursor = last_event_id(&headers).or(query.after).unwrap_or_default();
    let store = lab.store.clone();
    let source = RunSource { lab, id, viewer, cursor, sent: None };
    let events = permit.try_watch(&*store, &[Topic::Output, Topic::Jobs], source).await?;
    Ok(permit.send(events))
}

struct RunSource {
    lab: Arc<Lab>,
    id: LabRunId,
    viewer: Viewer,
    cursor: u32,
    sent: Option<LabRun>,
}

#[async_trait]
impl Source for RunSource {
    async fn read(&mut self, _: Option<Topic>) -> Result<Step> {
        // Reads the run before its parts: if the run has ended, all parts are there.
        let job = self.lab.found_job(self.id).await?;
        let run = self.lab.found_view(&job, self.viewer).await?;
        let parts = self.lab.store.job_output(job.id, self.cursor, BATCH).await?;
        let is_complete = parts.len() < BATCH as usize;
        let mut step = Step { events: Vec::new(), then: if is_complete { Then::Wait(PAUSE) } else { Then::ReadOn } };
        for part in parts {
            self.cursor = part.number;
            step.events.push(Event::default().event("part").id(part.number.to_string()).data(part.text));
        }
        if is_complete && self.sent.as_ref() != Some(&run) {
            step.events.push(Event::default().event("run").json_data(&run).expect("a run has a JSON form"));
            if run.state.is_final() {
                step.then = Then::End;
            }
            self.sent = Some(run);
        }
        Ok(step)
    }
}
