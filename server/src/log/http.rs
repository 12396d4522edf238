//! The log as streams: existing rows, and new rows.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use api::{
    ApiError, ErrorCode, FilterError, FilterList, LogFilter, LogPosition, LogRow, LogSeq, ScanProgress, meant_filter,
};
use async_stream::stream;
use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use store::{LogQuery, LogSpan, StoreError, Topic};

use super::LogService;
use super::scan::{Scanned, Start, scan};
use crate::platform::error::{Error, Result};
use crate::platform::extract::Parameters;
use crate::platform::inert::to_json;
use crate::platform::sse::{EventStream, SessionWatch, Source, Step, StreamPermit, Then, UNBUFFERED, last_event_id};

const DEFAULT_ROWS: u32 = 1_000;
const MOST_ROWS: u32 = 10_000;
/// The most rows in one chunk of a response.
const CHUNK: usize = 64;
/// How many new rows are read at a time.
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
/// With `q`, also an empty one, the last line says how far the read has come; see [`api::ScanProgress`]. Without it there
/// are only rows, for programs that expect nothing else. If no row matches a filter that was probably meant otherwise, the
/// last line also has a `hint`.
pub async fn rows(State(log): State<Arc<LogService>>, Parameters(query): Parameters<RowsQuery>) -> Result<Response> {
    let start = query.start(&log).await?;
    let filter = log.filter(query.q.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_ROWS).min(MOST_ROWS);
    Ok(ndjson(stream! {
        let mut scanned = pin!(scan(&*log.store, &*log.clock, &filter, start, limit));
        let mut is_empty = true;
        while let Some(scanned) = scanned.next().await {
            yield match scanned {
                Ok(Scanned::Row(row)) => {
                    is_empty = false;
                    line(Ok(&row))
                }
                Ok(Scanned::Progress(progress)) => {
                    let Some(q) = &query.q else { break };
                    let meant = if is_empty && progress.is_done { meant_filter(q, FilterList::Log) } else { None };
                    line(Ok(&LastLine { progress, hint: meant.map(|meant| format!("Did you mean {meant}?")) }))
                }
                Err(error) => line::<LogRow>(Err(&error)),
            };
        }
    }))
}

#[derive(Serialize)]
struct LastLine {
    #[serde(flatten)]
    progress: ScanProgress,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl RowsQuery {
    async fn start(&self, log: &LogService) -> Result<Start> {
        match (self.before, self.after, self.at.as_deref()) {
            (None, None, None) => Ok(Start::Newest),
            (Some(before), None, None) => Ok(Start::Before(before)),
            (None, Some(after), None) => Ok(Start::After(after)),
            (None, None, Some(at)) => {
                let position: LogPosition = at.parse().map_err(|error: FilterError| error.in_field("at"))?;
                Ok(Start::at(position, &*log.store, log.clock.wall()).await?)
            }
            _ => Err(ApiError::new(ErrorCode::Invalid, "Only one of before, after and at can be given.").into()),
        }
    }
}

impl LogService {
    /// Reads the parameter `q`. Times without an offset are UTC.
    pub(super) fn filter(&self, q: Option<&str>) -> std::result::Result<LogFilter, ApiError> {
        let filter: LogFilter = q.unwrap_or_default().parse().map_err(|error: FilterError| error.in_field("q"))?;
        Ok(filter.with_searches(&*self.search_of))
    }
}

fn ndjson(lines: impl Stream<Item = String> + Send + 'static) -> Response {
    let chunks = lines.ready_chunks(CHUNK).map(|lines| Ok::<_, std::convert::Infallible>(Bytes::from(lines.concat())));
    ([(CONTENT_TYPE, "application/x-ndjson"), UNBUFFERED], Body::from_stream(chunks)).into_response()
}

fn line<T: Serialize>(outcome: std::result::Result<&T, &StoreError>) -> String {
    let mut line = match outcome {
        Ok(value) => to_json(value),
        // The status is already sent, so the error takes the place of a row.
        Err(error) => to_json(&ApiError::from(Error::from(error.clone()))),
    };
    line.push('\n');
    line
}

#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    after: Option<LogSeq>,
    q: Option<String>,
}

/// Sends `row` for each matching row after the cursor, and `through` for the number up to which all have been sent.
///
/// The cursor is the Last-Event-ID of a reconnecting browser, or else `after`.
pub async fn events(
    State(log): State<Arc<LogService>>,
    Parameters(query): Parameters<EventsQuery>,
    session: SessionWatch,
    permit: StreamPermit,
    headers: HeaderMap,
) -> Result<EventStream> {
    let filter = log.filter(query.q.as_deref())?;
    let cursor = last_event_id(&headers).map(LogSeq).or(query.after).unwrap_or_default();
    let store = log.store.clone();
    let source = RowSource { log, filter, cursor, sent_through: None, upto: None };
    let events = permit.watch(&*store, &[Topic::Log], source);
    Ok(permit.send(session.over(events)))
}

struct RowSource {
    log: Arc<LogService>,
    filter: LogFilter,
    cursor: LogSeq,
    /// The last `through`. One is sent at the start, so that a page knows that it is connected.
    sent_through: Option<LogSeq>,
    /// The newest row when the current round of reads began.
    upto: Option<LogSeq>,
}

#[async_trait]
impl Source for RowSource {
    async fn read(&mut self, _: Option<Topic>) -> Result<Step> {
        let upto = match self.upto.take() {
            Some(upto) => upto,
            None => self.log.store.last_log_seq().await?,
        };
        // A cursor beyond the last row comes from a database that was restored to an older state. Waiting for it would
        // hide the rows that get those numbers now.
        self.cursor = self.cursor.min(upto);
        let mut step = Step { events: Vec::new(), then: Then::Wait(Duration::ZERO) };
        if self.cursor < upto {
            match self.batch().await.map_err(Error::from) {
                Ok(rows) => {
                    self.cursor = rows.last().map_or(upto, |row| row.seq);
                    let now = self.log.clock.wall();
                    step.events.extend(rows.iter().filter(|row| self.filter.matches(row, now)).map(row_event));
                    if self.cursor < upto {
                        self.upto = Some(upto);
                        return Ok(Step { then: Then::ReadOn, ..step });
                    }
                }
                Err(error) => {
                    let _logged = ApiError::from(error);
                    step.then = Then::Retry;
                }
            }
        }
        if self.sent_through != Some(self.cursor) {
            let cursor = self.cursor.0.to_string();
            step.events.push(Event::default().event("through").id(&cursor).data(&cursor));
            self.sent_through = Some(self.cursor);
        }
        Ok(step)
    }
}

impl RowSource {
    async fn batch(&self) -> store::Result<Vec<LogRow>> {
        let query = LogQuery { span: LogSpan::After(self.cursor), limit: BATCH };
        self.log.store.log_rows(query).try_collect().await
    }
}

fn row_event(row: &LogRow) -> Event {
    Event::default().event("row").id(row.seq.0.to_string()).data(to_json(row))
}
