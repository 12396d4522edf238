//! The log as streams: the rows that are there, and those that come.

use std::sync::Arc;

use api::{ApiError, LogRow, LogSeq};
use async_stream::stream;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Deserialize;
use store::{LogQuery, LogSpan, Topic};

use super::event_stream::{AFTER_FAILURE, EventStream, Place, event_stream, pause};
use super::parameters::Parameters;
use super::session_watch::SessionWatch;
use super::{from_store, inert_json};
use crate::environment::Environment;

const DEFAULT_ROWS: u32 = 1_000;
const MOST_ROWS: u32 = 10_000;
/// So many rows that are ready together travel in one chunk.
const CHUNK: usize = 64;
/// So many new rows are read at a time.
const BATCH: u32 = 500;

#[derive(Debug, Deserialize)]
pub struct RowsQuery {
    before: Option<LogSeq>,
    q: Option<String>,
    limit: Option<u32>,
}

/// Rows as NDJSON, newest first, each as soon as the database yields it.
pub async fn rows(State(env): State<Arc<Environment>>, Parameters(query): Parameters<RowsQuery>) -> Response {
    let rows = env.store.log_rows(LogQuery {
        span: query.before.map_or(LogSpan::Newest, LogSpan::Before),
        text: query.q.filter(|text| !text.is_empty()),
        limit: query.limit.unwrap_or(DEFAULT_ROWS).min(MOST_ROWS),
    });
    let lines = rows.map(|row| match row {
        Ok(row) => inert_json::to_string(&row) + "\n",
        // The status has left already: the reader finds the error where it expects a row.
        Err(error) => inert_json::to_string::<ApiError>(&from_store(error)) + "\n",
    });
    let chunks = lines.ready_chunks(CHUNK).map(|lines| Ok::<_, std::convert::Infallible>(Bytes::from(lines.concat())));
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks)).into_response()
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
) -> EventStream {
    let last_event = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).map(LogSeq);
    let mut cursor = last_event.or(query.after).unwrap_or_default();
    let text = query.q.filter(|text| !text.is_empty());
    let mut changes = env.store.subscribe(Topic::Log);
    let watched = env.clone();
    let events = stream! {
        // Said once at the start, so that a page knows that it is connected.
        let mut said = None;
        loop {
            let mut is_behind = true;
            if let Ok(last) = last_in_turn(&watched).await.map_err(from_store) {
                if said.is_none() {
                    // Numbers beyond the last come from a database that was put back to an older
                    // state: waiting for them would hide the rows that get those numbers now.
                    cursor = cursor.min(last);
                }
                while cursor < last {
                    let query = LogQuery { span: LogSpan::After(cursor), text: text.clone(), limit: BATCH };
                    let (rows, reached) = batch(&watched, query, last).await;
                    for row in rows {
                        yield row_event(&row);
                    }
                    let Some(reached) = reached else { break };
                    cursor = reached;
                }
                is_behind = cursor < last;
            }
            if said != Some(cursor) {
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
    event_stream(&env, place, session.over(events))
}

async fn last_in_turn(env: &Environment) -> store::Result<LogSeq> {
    let _turn = env.event_streams.turn().await;
    env.store.last_log_seq().await
}

/// Reads one batch, and says up to which row nothing is missing now; none if the store failed,
/// in which case nothing was read.
async fn batch(env: &Environment, query: LogQuery, last: LogSeq) -> (Vec<LogRow>, Option<LogSeq>) {
    let turn = env.event_streams.turn().await;
    let rows: Vec<_> = env.store.log_rows(query).collect().await;
    drop(turn);
    let Ok(rows) = rows.into_iter().collect::<Result<Vec<LogRow>, _>>().map_err(from_store) else {
        return (Vec::new(), None);
    };
    let newest = rows.last().map(|row| row.seq);
    let is_cut = rows.len() >= BATCH as usize;
    let reached = if is_cut { newest } else { newest.max(Some(last)) };
    (rows, reached)
}

fn row_event(row: &LogRow) -> Event {
    Event::default().event("row").id(row.seq.0.to_string()).data(inert_json::to_string(row))
}
