//! The log as a file to keep.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use api::{ApiError, ErrorCode, LogSeq, TimeMs};
use async_stream::stream;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use store::StoreError;

use crate::accounts::session_watch::SessionWatch;
use crate::app_state::Environment;
use crate::log::export::{Chunk, Lines, Rows, export};
use crate::log::http::filter_of;
use crate::platform::error::{ErrorResponse, from_store};
use crate::platform::extract::Parameters;
use crate::system::metrics::Counted;

/// So many exports may go on at once: each reads as fast as it is taken, and those who search need the processor too.
const AT_ONCE: u32 = 4;
/// The last that has a name of four digits, however wrong the clock is.
const LAST_DAY: Duration = Duration::from_secs(253_402_300_799);

#[derive(Debug, Deserialize)]
pub struct ExportQuery {
    #[serde(default)]
    format: Lines,
    after: Option<LogSeq>,
    upto: Option<LogSeq>,
    q: Option<String>,
}

/// All rows that the filter matches, from the oldest on, up to the one that is the newest now.
pub async fn file(
    State(env): State<Arc<Environment>>,
    Parameters(query): Parameters<ExportQuery>,
    session: SessionWatch,
    place: Place,
) -> Result<Response, ErrorResponse> {
    let filter = filter_of(query.q.as_deref())?;
    let mut rows = Rows::matching(filter, &*env.store, env.clock.wall()).await.map_err(from_store)?;
    rows.after = rows.after.max(query.after.unwrap_or_default());
    rows.upto = query.upto.map_or(rows.upto, |upto| upto.min(rows.upto));
    let chunks = export(env.store.clone(), rows, query.format);
    let (ending, media_type) = match query.format {
        Lines::Ndjson => ("ndjson", "application/x-ndjson"),
        Lines::Csv => ("csv", "text/csv; charset=utf-8; header=present"),
    };
    let disposition = format!("attachment; filename=\"search4letters-log-{}.{ending}\"", date(env.clock.wall()));
    let headers = [(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(body(query.format.head(), chunks, session, place))).into_response())
}

/// Ends with an error unless all of it was there and might be seen: that breaks the connection, where an end would look
/// like the whole.
fn body(
    head: &'static str,
    chunks: impl Stream<Item = Result<Chunk, StoreError>> + Send + 'static,
    mut session: SessionWatch,
    place: Place,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream! {
        let _held_while_sending = place;
        let mut chunks = std::pin::pin!(chunks);
        if !head.is_empty() {
            yield Ok(Bytes::from_static(head.as_bytes()));
        }
        while let Some(chunk) = chunks.next().await {
            let text = match chunk {
                Ok(chunk) if session.lasts().await => Ok(Bytes::from(chunk.text)),
                Ok(_) => Err(io::Error::other("the session has ended")),
                Err(error) => Err(io::Error::other(from_store(error).message)),
            };
            let is_broken = text.is_err();
            // A block in which nothing matches says nothing.
            if !matches!(&text, Ok(text) if text.is_empty()) {
                yield text;
            }
            if is_broken {
                break;
            }
        }
    }
}

/// `2026-11-25`, in UTC.
fn date(now: TimeMs) -> String {
    let since_1970 = Duration::from_millis(u64::try_from(now.0).unwrap_or(0)).min(LAST_DAY);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_1970).to_string().chars().take(10).collect()
}

/// A place among the exports that may go on at once, until it is sent.
pub struct Place {
    _counted: Counted,
}

impl FromRequestParts<Arc<Environment>> for Place {
    type Rejection = ErrorResponse;

    async fn from_request_parts(_: &mut Parts, env: &Arc<Environment>) -> Result<Self, ErrorResponse> {
        let counted = Counted::below(AT_ONCE, &env.metrics.exports);
        counted.map(|_counted| Self { _counted }).ok_or_else(|| {
            let message = "Too many exports go on just now. Try again when one has ended.";
            ErrorResponse(ApiError::new(ErrorCode::Unavailable, message))
        })
    }
}
