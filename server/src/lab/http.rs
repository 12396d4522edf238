//! A run of the waiting lab, live.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode, LabRun, LabRunId};
use async_stream::stream;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::sse::Event;
use serde::Deserialize;
use store::{OutputPart, Topic};

use crate::app_state::Environment;
use crate::lab::{self, Viewer};
use crate::platform::caller::Caller;
use crate::platform::error::{ErrorResponse, from_store};
use crate::platform::extract::{LabRunInPath, Parameters};
use crate::platform::sse::{AFTER_FAILURE, EventStream, Place, event_stream, pause};

/// Parts come every tenth of a second; an eye wants no more.
const PAUSE: Duration = Duration::from_millis(50);
/// So many parts are read at a time.
const BATCH: u32 = 50;

#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    after: Option<u32>,
}

/// Events `part` for the parts of the output after the cursor, and `run` whenever the run has changed, until it has
/// ended.
///
/// The cursor is the Last-Event-ID of a browser that comes back, or else `after`. A run that is told to have ended
/// has been told whole.
pub async fn events(
    State(env): State<Arc<Environment>>,
    LabRunInPath(id): LabRunInPath,
    Parameters(query): Parameters<EventsQuery>,
    place: Place,
    parts: Parts,
) -> Result<EventStream, ErrorResponse> {
    let viewer = Viewer::of(&env, &Caller::of(&parts, &env.trusted_proxies)).await?;
    let mut changes = env.store.subscribe(Topic::Output);
    let mut moves = env.store.subscribe(Topic::Jobs);
    let mut cursor = last_event(&parts.headers).or(query.after).unwrap_or_default();
    let mut look = look(&env, id, viewer, cursor).await?;
    let watched = env.clone();
    let events = stream! {
        let mut said = None;
        loop {
            let is_whole = look.parts.len() < BATCH as usize;
            for part in look.parts {
                cursor = part.number;
                yield Event::default().event("part").id(part.number.to_string()).data(part.text);
            }
            if is_whole && said.as_ref() != Some(&look.run) {
                yield Event::default().event("run").json_data(&look.run).expect("a run has a JSON form");
                if look.run.state.is_final() {
                    break;
                }
                said = Some(look.run);
            }
            if is_whole {
                pause(&watched, PAUSE).await;
                tokio::select! {
                    () = changes.changed() => {}
                    () = moves.changed() => {}
                }
            }
            look = loop {
                match self::look(&watched, id, viewer, cursor).await {
                    Ok(look) => break look,
                    // Deleted meanwhile: there will be nothing to tell.
                    Err(error) if error.code == ErrorCode::NotFound => return,
                    Err(_) => pause(&watched, AFTER_FAILURE).await,
                }
            };
        }
    };
    Ok(event_stream(&env, place, events))
}

struct Look {
    run: LabRun,
    parts: Vec<OutputPart>,
}

/// The run first: of one that has ended then, all parts are there to be read after it.
async fn look(env: &Environment, id: LabRunId, viewer: Viewer, after: u32) -> Result<Look, ApiError> {
    let _turn = env.event_streams.turn().await;
    let job = lab::stored_run(env, id).await?.ok_or_else(|| ApiError::not_found("run"))?;
    let run = lab::view(env, &job, viewer).await?.ok_or_else(|| ApiError::not_found("run"))?;
    let parts = env.store.job_output(job.id, after, BATCH).await.map_err(from_store)?;
    Ok(Look { run, parts })
}

fn last_event(headers: &HeaderMap) -> Option<u32> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}
