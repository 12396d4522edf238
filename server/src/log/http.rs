//! The log as streams: the rows that are there, and those that come.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use api::{ApiError, ErrorCode, FilterError, LogFilter, LogPosition, LogRow, LogSeq};
use async_stream::stream;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use store::{LogQuery, LogSpan, StoreError, Topic};

use crate::accounts::session_watch::SessionWatch;
use crate::app_state::Environment;
use crate::log::inert_json;
use crate::log::scan::{Found, Start, look};
use crate::platform::error::{ErrorResponse, from_store};
use crate::platform::extract::Parameters;
use crate::platform::sse::{AFTER_FAILURE, EventStream, Place, event_stream, pause};

const DEFAULT_ROWS: u32 = 1_000;
const MOST_ROWS: u32 = 10_000;
/// So many rows that are ready together travel in one chunk.
const CHUNK: usize = 64;
/// So many new rows are read at a time.
const BATCH: u32 = 500;

#[derive(Debug, Deserialize)]
pub struct RowsQuery {
    /// Where to begin: at most one of these three.
    before: Option<LogSeq>,
    after: Option<LogSeq>,
    at: Option<String>,
    q: Option<String>,
    limit: Option<u32>,
}

/// Rows as NDJSON, each as soon as the database yields it: newest first, or with `after` oldest first.
///
/// With a filter, the last line says how far it was looked for them; see [`api::ScanProgress`].
pub async fn rows(
    State(env): State<Arc<Environment>>,
    Parameters(query): Parameters<RowsQuery>,
) -> Result<Response, ErrorResponse> {
    let start = query.start(&env).await?;
    let filter = filter_of(query.q.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_ROWS).min(MOST_ROWS);
    Ok(if filter.is_empty() {
        let rows = env.store.log_rows(LogQuery { span: start.into(), limit });
        ndjson(rows.map(|row| line(row.as_ref())))
    } else {
        ndjson(stream! {
            let mut found = pin!(look(&*env.store, &*env.clock, &filter, start, limit));
            while let Some(found) = found.next().await {
                yield match found {
                    Ok(Found::Row(row)) => line(Ok(&row)),
                    Ok(Found::Looked(looked)) => line(Ok(&looked)),
                    Err(error) => line::<LogRow>(Err(&error)),
                };
            }
        })
    })
}

impl RowsQuery {
    async fn start(&self, env: &Environment) -> Result<Start, ErrorResponse> {
        match (self.before, self.after, self.at.as_deref()) {
            (None, None, None) => Ok(Start::Newest),
            (Some(before), None, None) => Ok(Start::Before(before)),
            (None, Some(after), None) => Ok(Start::After(after)),
            (None, None, Some(at)) => {
                let place: LogPosition = at.parse().map_err(|error: FilterError| error.in_field("at"))?;
                Ok(Start::at(place, &*env.store, env.clock.wall()).await.map_err(from_store)?)
            }
            _ => Err(ApiError::new(ErrorCode::Invalid, "Only one of before, after and at can be given.").into()),
        }
    }
}

pub fn filter_of(q: Option<&str>) -> Result<LogFilter, ErrorResponse> {
    Ok(q.unwrap_or_default().parse().map_err(|error: FilterError| error.in_field("q"))?)
}

fn ndjson(lines: impl Stream<Item = String> + Send + 'static) -> Response {
    let chunks = lines.ready_chunks(CHUNK).map(|lines| Ok::<_, Infallible>(Bytes::from(lines.concat())));
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks)).into_response()
}

fn line<T: Serialize>(outcome: Result<&T, &StoreError>) -> String {
    let mut line = match outcome {
        Ok(value) => inert_json::to_string(value),
        // The status has left already: the reader finds the error where it expects a row.
        Err(error) => inert_json::to_string::<ApiError>(&from_store(error.clone())),
    };
    line.push('\n');
    line
}

#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    after: Option<LogSeq>,
    q: Option<String>,
}

/// Events `row` for rows after the cursor, and `through` to say how far that is complete.
///
/// The cursor is the Last-Event-ID of a browser that comes back, or else `after`.
pub async fn events(
    State(env): State<Arc<Environment>>,
    Parameters(query): Parameters<EventsQuery>,
    session: SessionWatch,
    place: Place,
    headers: HeaderMap,
) -> Result<EventStream, ErrorResponse> {
    let last_event = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).map(LogSeq);
    let mut cursor = last_event.or(query.after).unwrap_or_default();
    let filter = filter_of(query.q.as_deref())?;
    let mut changes = env.store.subscribe(Topic::Log);
    let watched = env.clone();
    let events = stream! {
        // Said once at the start, so that a page knows that it is connected.
        let mut said = None;
        let mut is_known = false;
        loop {
            let mut is_behind = true;
            if let Ok(last) = last_in_turn(&watched).await.map_err(from_store) {
                if said.is_none() {
                    // Numbers beyond the last come from a database that was put back to an older
                    // state: waiting for them would hide the rows that get those numbers now.
                    cursor = cursor.min(last);
                }
                while cursor < last {
                    let Some(rows) = batch(&watched, cursor).await else { break };
                    cursor = rows.last().map_or(last, |row| row.seq);
                    let now = watched.clock.wall();
                    for row in rows.iter().filter(|row| filter.matches(row, now)) {
                        yield row_event(row);
                    }
                }
                is_behind = cursor < last;
                is_known = true;
            }
            // Before the store has answered, the cursor is what the reader says.
            if is_known && said != Some(cursor) {
                yield Event::default().event("through").id(cursor.0.to_string()).data(cursor.0.to_string());
                said = Some(cursor);
            }
            if is_behind {
                pause(&watched, AFTER_FAILURE).await;
            } else {
                changes.changed().await;
            }
        }
    };
    Ok(event_stream(&env, place, session.over(events)))
}

async fn last_in_turn(env: &Environment) -> store::Result<LogSeq> {
    let _turn = env.event_streams.turn().await;
    env.store.last_log_seq().await
}

/// The next rows; none if the store failed.
async fn batch(env: &Environment, after: LogSeq) -> Option<Vec<LogRow>> {
    let _turn = env.event_streams.turn().await;
    let rows = env.store.log_rows(LogQuery { span: LogSpan::After(after), limit: BATCH });
    rows.try_collect().await.map_err(from_store).ok()
}

fn row_event(row: &LogRow) -> Event {
    Event::default().event("row").id(row.seq.0.to_string()).data(inert_json::to_string(row))
}
