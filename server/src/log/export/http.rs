//! The log as a download.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use api::{ApiError, ErrorCode, LogSeq, TimeMs};
use async_stream::stream;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use store::StoreError;

use super::super::LogService;
use super::{Chunk, Lines, Rows, export};
use crate::platform::error::{Error, Result};
use crate::platform::extract::Parameters;
use crate::platform::limits::Counted;
use crate::platform::sse::{SessionWatch, UNBUFFERED};

/// Limit on concurrent exports: each reads as fast as its client receives, and searches need the processor too.
const AT_ONCE: u32 = 4;
/// The last day with a four-digit year. Bounds the file's date if the clock is wrong.
const LAST_DAY: Duration = Duration::from_secs(253_402_300_799);

#[derive(Debug, Deserialize)]
pub struct ExportQuery {
    #[serde(default)]
    format: Lines,
    after: Option<LogSeq>,
    upto: Option<LogSeq>,
    q: Option<String>,
}

/// All rows that match the filter and exist now, oldest first.
pub async fn file(
    State(log): State<Arc<LogService>>,
    Parameters(query): Parameters<ExportQuery>,
    session: SessionWatch,
    permit: ExportPermit,
) -> Result<Response> {
    let filter = log.filter(query.q.as_deref())?;
    let rows = Rows::matching(filter, &*log.store, log.clock.wall()).await?;
    let rows = rows.between(query.after.unwrap_or_default(), query.upto);
    let chunks = export(log.store.clone(), rows, query.format);
    let (ending, media_type) = match query.format {
        Lines::Ndjson => ("ndjson", "application/x-ndjson"),
        Lines::Csv => ("csv", "text/csv; charset=utf-8; header=present"),
    };
    let disposition = format!("attachment; filename=\"search4letters-log-{}.{ending}\"", date(log.clock.wall()));
    let (unbuffered, no) = UNBUFFERED;
    let headers =
        [(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition), (unbuffered, no.to_owned())];
    Ok((headers, Body::from_stream(body(chunks, session, permit))).into_response())
}

/// Ends with an error if a read failed or the session ended. The error breaks the connection; a normal end would look
/// complete.
fn body(
    chunks: impl Stream<Item = std::result::Result<Chunk, StoreError>> + Send + 'static,
    mut session: SessionWatch,
    permit: ExportPermit,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream! {
        let _held_while_sending = permit;
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            let text = match chunk {
                Ok(chunk) if session.lasts().await => Ok(Bytes::from(chunk.text)),
                Ok(_) => Err(io::Error::other("the session has ended")),
                Err(error) => Err(io::Error::other(ApiError::from(Error::from(error)).message)),
            };
            let is_broken = text.is_err();
            // A block without a match yields no text.
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

/// Permit for one export, held until it is sent.
pub struct ExportPermit {
    _counted: Counted,
}

impl<S: Sync> FromRequestParts<S> for ExportPermit
where
    Arc<LogService>: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self> {
        let counted = Counted::below(AT_ONCE, &Arc::<LogService>::from_ref(state).exports);
        counted.map(|_counted| Self { _counted }).ok_or_else(|| {
            let message = "Too many exports go on just now. Try again when one has ended.";
            ApiError::new(ErrorCode::Unavailable, message).into()
        })
    }
}
