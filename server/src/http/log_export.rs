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

use super::error::{ErrorResponse, from_store};
use super::parameters::Parameters;
use super::session_watch::SessionWatch;
use crate::environment::Environment;
use crate::export::{Chunk, Lines, Rows, export};
use crate::metrics::Counted;

/// So many exports may go on at once: each reads as fast as it is taken, and those who search need the processor too.
const AT_ONCE: u32 = 4;

#[derive(Debug, Deserialize)]
pub struct ExportQuery {
    #[serde(default)]
    format: Format,
    after: Option<LogSeq>,
    upto: Option<LogSeq>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Ndjson,
    Csv,
}

impl Format {
    fn lines(self) -> Lines {
        match self {
            Self::Ndjson => Lines::Ndjson,
            Self::Csv => Lines::Csv,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    fn file_ending(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// All rows from the oldest on, up to the one that is the newest now.
pub async fn file(
    State(env): State<Arc<Environment>>,
    Parameters(query): Parameters<ExportQuery>,
    session: SessionWatch,
    place: Place,
) -> Result<Response, ErrorResponse> {
    let newest = env.store.last_log_seq().await.map_err(from_store)?;
    let upto = query.upto.map_or(newest, |upto| upto.min(newest));
    let rows = Rows { after: query.after.unwrap_or_default(), upto };
    let (lines, format) = (query.format.lines(), query.format);
    let chunks = export(env.store.clone(), rows, lines);
    let disposition =
        format!("attachment; filename=\"search4letters-log-{}.{}\"", date(env.clock.wall()), format.file_ending());
    let headers = [(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(body(lines.head(), chunks, session, place))).into_response())
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
            let text = chunk.map_err(|error| io::Error::other(from_store(error).message));
            let is_broken = text.is_err();
            if !session.lasts().await {
                yield Err(io::Error::other("the session has ended"));
                break;
            }
            yield text.map(|chunk| Bytes::from(chunk.text));
            if is_broken {
                break;
            }
        }
    }
}

/// `2026-11-25`, in UTC; without the day where the clock is out of all bounds.
fn date(now: TimeMs) -> String {
    let since_1970 = Duration::from_millis(now.0.unsigned_abs()).min(Duration::from_secs(253_402_300_799));
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
