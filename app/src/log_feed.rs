//! Fills a log book: pages of older rows on demand, new rows as they are written.

use std::time::Duration;

use api::{ApiError, ErrorCode, LogRow, LogSeq};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::AbortController;

use crate::context;
use crate::live::{Link, Live, Subscription};
use crate::log_book::{Arrivals, LogBook};
use crate::moment;
use crate::ndjson;
use crate::session::Session;
use crate::url;

/// Rows per request: a few hundred kilobytes, and many screens.
const PAGE_ROWS: usize = 1_000;
/// New rows are shown together this often: a burst must not be drawn row by row.
const DRAW_EVERY: Duration = Duration::from_millis(40);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Rows,
    Nothing,
    Failed(ApiError),
}

#[derive(Clone, Copy)]
pub struct LogFeed {
    pub book: RwSignal<LogBook>,
    pub reading: RwSignal<Reading>,
    /// All rows up to this one have been delivered.
    pub through: RwSignal<Option<LogSeq>>,
    pub arrivals: RwSignal<Arrivals>,
    filter: StoredValue<Option<String>>,
    /// Rows that came in and are not in the book yet.
    buffer: StoredValue<Vec<LogRow>>,
    abort: StoredValue<Option<AbortController>, LocalStorage>,
    live: StoredValue<Option<Live>, LocalStorage>,
    session: Session,
    link: RwSignal<Link>,
}

impl LogFeed {
    #[must_use]
    pub fn new() -> Self {
        let feed = Self {
            book: RwSignal::new(LogBook::default()),
            reading: RwSignal::new(Reading::Nothing),
            through: RwSignal::new(None),
            arrivals: RwSignal::new(Arrivals::Show),
            filter: StoredValue::new(None),
            buffer: StoredValue::new(Vec::new()),
            abort: StoredValue::new_local(None),
            live: StoredValue::new_local(None),
            session: context::session(),
            link: context::connection().0,
        };
        on_cleanup(move || feed.stop());
        feed
    }

    /// Begins anew with the rows that contain `filter`.
    pub fn start(self, filter: Option<String>) {
        self.stop();
        self.filter.set_value(filter);
        self.buffer.set_value(Vec::new());
        self.book.set(LogBook::default());
        self.through.set(None);
        self.reading.set(Reading::Nothing);
        self.read_older();
    }

    /// Reads the next page of older rows, unless one is on its way or none is left.
    pub fn read_older(self) {
        let is_complete = self.book.with_untracked(|book| book.is_complete);
        let is_reading = self.reading.with_untracked(|reading| *reading == Reading::Rows);
        if is_complete || is_reading {
            return;
        }
        let Ok(abort) = AbortController::new() else { return };
        let signal = abort.signal();
        self.abort.set_value(Some(abort));
        self.reading.set(Reading::Rows);
        let url = self.page_url();
        spawn_local(async move {
            let mut read = 0;
            let mut failure = None;
            let deliver = |lines: Vec<Vec<u8>>| {
                if !signal.aborted() {
                    let (rows, error) = parse(&lines);
                    read += rows.len();
                    failure = failure.take().or(error);
                    self.append(rows);
                }
            };
            let outcome = ndjson::read(&url, &signal, deliver).await;
            if !signal.aborted() {
                self.finish(read, outcome.err().or(failure));
            }
        });
    }

    fn page_url(self) -> String {
        let before = self.book.with_untracked(LogBook::oldest).map(|LogSeq(seq)| seq.to_string());
        let limit = PAGE_ROWS.to_string();
        let filter = self.filter.get_value();
        let parameters = [("before", before.as_deref()), ("q", filter.as_deref()), ("limit", Some(limit.as_str()))];
        url::with_query("/api/admin/log/rows", &parameters)
    }

    fn append(self, rows: Vec<LogRow>) {
        self.book.update(|book| book.append_older(rows));
        // With the first row it is known where new ones begin: no need to wait for the rest.
        self.go_live();
    }

    fn finish(self, read: usize, failure: Option<ApiError>) {
        if let Some(error) = failure {
            self.session.notice(&error);
            self.reading.set(Reading::Failed(error));
            return;
        }
        self.book.update(|book| book.is_complete = read < PAGE_ROWS);
        self.reading.set(Reading::Nothing);
        self.go_live();
    }

    fn go_live(self) {
        if self.live.with_value(Option::is_some) {
            return;
        }
        let live = Live::follow(Subscription {
            address: Box::new(move || self.events_url()),
            events: &["row", "through"],
            deliver: Box::new(move |event, data| self.deliver(event, &data)),
            refused: Box::new(move || self.session.refresh()),
            link: self.link,
        });
        self.live.set_value(Some(live));
    }

    fn events_url(self) -> String {
        // What lies in the buffer is known too, and newer than what is in the book.
        let buffered = self.buffer.with_value(|buffer| buffer.last().map(|row| row.seq));
        let newest = self.book.with_untracked(LogBook::newest);
        // The rows up to `through` are known even where the filter has kept them from us.
        let LogSeq(after) =
            [buffered, newest, self.through.get_untracked()].into_iter().flatten().max().unwrap_or_default();
        let filter = self.filter.get_value();
        let after = after.to_string();
        url::with_query("/api/admin/log/events", &[("after", Some(after.as_str())), ("q", filter.as_deref())])
    }

    fn deliver(self, event: &str, data: &str) {
        match event {
            "row" => {
                let Ok(row) = serde_json::from_str::<LogRow>(data) else { return };
                let is_first = self.buffer.with_value(Vec::is_empty);
                self.buffer.update_value(|buffer| buffer.push(row));
                if is_first {
                    set_timeout(move || self.draw(), DRAW_EVERY);
                }
            }
            _ => {
                self.draw();
                self.through.set(data.parse().ok().map(LogSeq));
            }
        }
    }

    /// Moves what has come in from the buffer into the book.
    fn draw(self) {
        // The timer may outlive the page.
        let rows = self.buffer.try_update_value(std::mem::take).unwrap_or_default();
        if !rows.is_empty() {
            let arrivals = self.arrivals.get_untracked();
            let is_reading = self.reading.with_untracked(|reading| *reading == Reading::Rows);
            self.book.update(|book| {
                book.add_newer(rows, arrivals, moment::now());
                if !is_reading {
                    book.trim();
                }
            });
        }
    }

    fn stop(self) {
        if let Some(abort) = self.abort.try_update_value(Option::take).flatten() {
            abort.abort();
        }
        drop(self.live.try_update_value(Option::take));
    }
}

/// A single row, if there is one with this number.
pub async fn fetch_row(seq: LogSeq) -> Result<Option<LogRow>, ApiError> {
    let abort = AbortController::new().map_err(|_| ApiError::new(ErrorCode::Internal, "This browser is too old."))?;
    let before = seq.0.saturating_add(1).to_string();
    let url = url::with_query("/api/admin/log/rows", &[("before", Some(before.as_str())), ("limit", Some("1"))]);
    let mut lines = Vec::new();
    ndjson::read(&url, &abort.signal(), |more| lines.extend(more)).await?;
    let (rows, failure) = parse(&lines);
    failure.map_or(Ok(rows.into_iter().find(|row| row.seq == seq)), Err)
}

/// The rows in `lines`, and the error that the stream has ended with, if it has.
fn parse(lines: &[Vec<u8>]) -> (Vec<LogRow>, Option<ApiError>) {
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        match serde_json::from_slice::<LogRow>(line) {
            Ok(row) => rows.push(row),
            Err(_) => {
                let unreadable = |_| ApiError::new(ErrorCode::Malformed, "The server sent a row that cannot be read.");
                return (rows, Some(serde_json::from_slice::<ApiError>(line).unwrap_or_else(unreadable)));
            }
        }
    }
    (rows, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_at_the_end_keeps_the_rows_before_it() {
        let row = r#"{"seq":1,"search_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","job_id":1,"phrase":"a","letters":"a",
            "results":"{'a'}","ip":"","browser_string":"","user_agent":"","searched_at":0,"recorded_at":0}"#;
        let error = r#"{"error":{"code":"unavailable","message":"Later.","field":null}}"#;
        let (rows, failure) = parse(&[row.as_bytes().to_vec(), error.as_bytes().to_vec()]);
        assert_eq!(rows.len(), 1);
        assert_eq!(failure.map(|error| error.code), Some(ErrorCode::Unavailable));
    }

    #[test]
    fn an_unreadable_line_is_an_error() {
        let (rows, failure) = parse(&[b"<html>".to_vec()]);
        assert!(rows.is_empty());
        assert_eq!(failure.map(|error| error.code), Some(ErrorCode::Malformed));
    }
}
