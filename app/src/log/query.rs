//! Fills a [`LogWindow`]: pages of rows on demand, and new rows as they are written.

use std::time::Duration;

use api::{ApiError, LogFilter, LogPosition, LogRow, LogSeq, ScanProgress, TimeMs};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use crate::log::scan::{Direction, ScanState, cut_short, parse};
use crate::log::window::{Arrivals, LogWindow, Shift, Top};
use crate::platform::session::Session;
use crate::platform::sse::EventStream;
use crate::platform::task::Task;
use crate::platform::{context, ndjson, time, url};

/// Rows per request: a few hundred kilobytes, and many screens.
const PAGE_ROWS: usize = 1_000;
/// New rows are drawn together, at most this often. Drawing a screen takes longer than reading its rows: a page that
/// drew each row at once would never catch up.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Follows only rows that are written from now on.
const FROM_NOW_ON: LogSeq = LogSeq(i64::MAX);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Rows(Direction),
    Nothing,
    /// The visitor has stopped the scan.
    Stopped(Direction),
    Failed(Direction, ApiError),
}

/// Which rows are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    pub filter: LogFilter,
    /// Where the list begins; `None` means at the newest row.
    pub position: Option<LogPosition>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Drawing {
    last: Option<TimeMs>,
    next: Option<TimeoutHandle>,
}

#[derive(Clone, Copy)]
pub struct LogQuery {
    pub window: RwSignal<LogWindow>,
    pub reading: RwSignal<Reading>,
    /// All rows up to this one have been delivered.
    pub through: RwSignal<Option<LogSeq>>,
    pub arrivals: RwSignal<Arrivals>,
    /// How far the rows were scanned for matches.
    pub scan: RwSignal<Option<ScanState>>,
    /// Whether the database was restored to an older state while the page was open. Set again each time.
    pub is_replaced: RwSignal<bool>,
    /// How many rows were written while the page was open.
    pub arrived: RwSignal<u64>,
    /// Called with the number of rows by which the shown ones have moved.
    on_shift: StoredValue<Option<Callback<Shift>>>,
    question: StoredValue<Option<Question>>,
    /// Rows that have arrived and are not in the window yet.
    buffer: StoredValue<Vec<LogRow>>,
    /// The value of [`LogQuery::through`] once the buffer is drawn.
    buffered_through: StoredValue<Option<LogSeq>>,
    drawing: StoredValue<Drawing>,
    request: StoredValue<Option<Task>, LocalStorage>,
    stream: EventStream,
    session: Session,
}

impl LogQuery {
    pub fn new() -> Self {
        let query = Self {
            window: RwSignal::new(LogWindow::default()),
            reading: RwSignal::new(Reading::Nothing),
            through: RwSignal::new(None),
            arrivals: RwSignal::new(Arrivals::Show),
            scan: RwSignal::new(None),
            is_replaced: RwSignal::new(false),
            arrived: RwSignal::new(0),
            on_shift: StoredValue::new(None),
            question: StoredValue::new(None),
            buffer: StoredValue::new(Vec::new()),
            buffered_through: StoredValue::new(None),
            drawing: StoredValue::new(Drawing::default()),
            request: StoredValue::new_local(None),
            stream: EventStream::new(),
            session: context::session(),
        };
        on_cleanup(move || query.close());
        query
    }

    pub fn on_shift(self, on_shift: Callback<Shift>) {
        self.on_shift.set_value(Some(on_shift));
    }

    /// Starts over with the rows of `question`.
    pub fn start(self, question: Question) {
        self.close();
        let top = if question.position.is_some() { Top::Gap } else { Top::Live };
        self.question.set_value(Some(question));
        self.clear_buffer();
        self.window.set(LogWindow::with_top(top));
        self.through.set(None);
        self.scan.set(None);
        self.reading.set(Reading::Nothing);
        self.read(Direction::Older);
    }

    /// Starts over with the newest rows of the same question.
    pub fn restart(self) {
        if let Some(question) = self.question.get_value() {
            self.start(question);
        }
    }

    pub fn is_filtered(self) -> bool {
        self.question.with_value(|question| question.as_ref().is_some_and(|question| !question.filter.is_empty()))
    }

    /// Reads the next page of older or newer rows, unless a page is being read or none is left.
    pub fn read(self, direction: Direction) {
        let is_over = self.window.with_untracked(|window| match direction {
            Direction::Older => window.is_complete,
            Direction::Newer => window.top() == Top::Live,
        });
        let is_reading = self.reading.with_untracked(|reading| matches!(reading, Reading::Rows(_)));
        if is_over || is_reading || self.question.with_value(Option::is_none) {
            return;
        }
        self.reading.set(Reading::Rows(direction));
        let url = self.page_url(direction);
        let task = Task::start(async move {
            let mut progress = None;
            let mut failure = None;
            let deliver = |lines: Vec<Vec<u8>>| {
                let page = parse(&lines);
                progress = progress.or(page.progress);
                failure = failure.take().or(page.error);
                self.add(direction, page.rows);
            };
            let outcome = ndjson::read(url, deliver).await;
            match (outcome.err().or(failure), progress) {
                (Some(error), _) => self.fail(direction, error),
                (None, Some(progress)) => self.finish(direction, progress),
                (None, None) => self.fail(direction, cut_short()),
            }
        });
        self.request.set_value(Some(task));
    }

    /// Stops the scan until the visitor resumes it.
    pub fn stop(self) {
        if let Reading::Rows(direction) = self.reading.get_untracked() {
            self.abort();
            self.reading.set(Reading::Stopped(direction));
        }
    }

    /// Continues a scan that was stopped, or a read that has failed.
    pub fn resume(self) {
        if let Reading::Stopped(direction) | Reading::Failed(direction, _) = self.reading.get_untracked() {
            self.read(direction);
        }
    }

    fn page_url(self, direction: Direction) -> String {
        let scan = self.scan.get_untracked().unwrap_or_default();
        let (before, after) = self.window.with_untracked(|window| match direction {
            Direction::Older => (scan.reached(direction).or(window.oldest()), None),
            // If no older row was found, the newer rows begin where that scan began.
            Direction::Newer => {
                let reached = scan.reached(direction).max(window.newest_shown());
                (None, Some(reached.or(scan.began(Direction::Older)).unwrap_or_default()))
            }
        });
        let number = |seq: Option<LogSeq>| seq.map(|LogSeq(seq)| seq.to_string());
        let (before, after) = (number(before), number(after));
        let is_first = before.is_none() && after.is_none();
        let limit = PAGE_ROWS.to_string();
        let position = self.question.with_value(|question| question.as_ref().and_then(|question| question.position));
        let position = position.filter(|_| is_first).map(|position| position.to_string());
        let filter = self.filter_text();
        let parameters = [
            ("before", before.as_deref()),
            ("after", after.as_deref()),
            ("at", position.as_deref()),
            // Also an empty one, for the last line.
            ("q", Some(filter.as_deref().unwrap_or_default())),
            ("limit", Some(limit.as_str())),
        ];
        url::with_query("/api/admin/log/rows", &parameters)
    }

    /// The id or the receipt of the search that the filter asks for.
    pub fn asked_search(self) -> Option<String> {
        self.question.with_value(|question| question.as_ref().and_then(|question| question.filter.asked_search()))
    }

    fn filter_text(self) -> Option<String> {
        let text = self.question.with_value(|question| question.as_ref().map(|question| question.filter.to_string()));
        text.filter(|text| !text.is_empty())
    }

    fn add(self, direction: Direction, rows: Vec<LogRow>) {
        match direction {
            Direction::Older => {
                self.window.update(|window| window.append_older(rows));
                // The first row says where new rows begin, so the stream need not wait for the rest. With a filter it
                // must: the newest match may be far older than the newest row.
                if !self.is_filtered() {
                    self.go_live();
                }
            }
            Direction::Newer => self.change(|window| window.prepend_newer(rows)),
        }
    }

    /// Changes the window in a way that may move the shown rows.
    fn change(self, change: impl FnOnce(&mut LogWindow) -> Shift) {
        let shift = self.window.try_update(change).unwrap_or_default();
        if let Some(on_shift) = self.on_shift.get_value().filter(|_| shift != 0) {
            on_shift.run(shift);
        }
    }

    fn fail(self, direction: Direction, error: ApiError) {
        self.session.end_if_signed_out(&error);
        self.reading.set(Reading::Failed(direction, error));
    }

    fn finish(self, direction: Direction, progress: ScanProgress) {
        let is_done = progress.is_done;
        let scan = self.is_filtered().then_some(progress);
        if let Some(progress) = scan {
            self.scan.update(|scan| *scan = Some(scan.unwrap_or_default().and(direction, progress)));
            if self.through.get_untracked().is_none() {
                self.through.set(Some(progress.last));
            }
        }
        match direction {
            Direction::Older => {
                self.window.update(|window| window.is_complete = is_done);
                self.drop_newest();
            }
            Direction::Newer => {
                self.drop_oldest();
                if is_done {
                    self.catch_up(scan.map(|progress| progress.last));
                }
            }
        }
        self.reading.set(Reading::Nothing);
        self.go_live();
    }

    /// Closes the gap. Later rows come from the stream, which starts over because rows that it sent during the gap were
    /// dropped.
    fn catch_up(self, last: Option<LogSeq>) {
        self.stream.close();
        self.clear_buffer();
        self.change(LogWindow::close_gap);
        self.through.set(last.max(self.window.with_untracked(LogWindow::newest_shown)));
    }

    fn go_live(self) {
        if !self.stream.is_open() {
            let deliver = move |event: &str, data: String| self.deliver(event, &data);
            self.stream.open(move || self.events_url(), deliver);
        }
    }

    fn events_url(self) -> String {
        let is_gap = self.window.with_untracked(|window| window.top() == Top::Gap);
        let LogSeq(after) = match self.newest_known() {
            None if is_gap => FROM_NOW_ON,
            known => known.unwrap_or_default(),
        };
        let filter = self.filter_text();
        let after = after.to_string();
        url::with_query("/api/admin/log/events", &[("after", Some(after.as_str())), ("q", filter.as_deref())])
    }

    /// The newest row that has arrived, or up to which all matching rows have.
    fn newest_known(self) -> Option<LogSeq> {
        // The rows in the buffer are newer than those in the window.
        let buffered = self.buffer.with_value(|buffer| buffer.last().map(|row| row.seq));
        // Up to `through` all matching rows are known, even if the filter matched none of the last ones.
        let through = self.buffered_through.get_value().or(self.through.get_untracked());
        // Below a gap, the newest row of the window says nothing about later ones.
        let newest = self.window.with_untracked(|window| window.newest().filter(|_| window.top() == Top::Live));
        [buffered, newest, through].into_iter().flatten().max()
    }

    fn deliver(self, event: &str, data: &str) {
        match event {
            "row" => {
                let Ok(row) = serde_json::from_str::<LogRow>(data) else { return };
                self.buffer.update_value(|buffer| buffer.push(row));
                self.draw_later();
            }
            _ => {
                let through = data.parse().ok().map(LogSeq);
                if through.is_some_and(|through| self.newest_known().is_some_and(|newest| through < newest)) {
                    // The newest row has a lower number than a row that is shown: the database was restored to an older
                    // state, and has other rows now.
                    self.is_replaced.set(true);
                    self.restart();
                    return;
                }
                self.buffered_through.set_value(through);
                // This event ends a batch of rows: draw it at once unless the last drawing was too recent.
                let last = self.drawing.with_value(|drawing| drawing.last);
                if last.is_none_or(|last| time::now() >= last.after(DRAW_EVERY)) {
                    self.draw();
                } else {
                    self.draw_later();
                }
            }
        }
    }

    fn draw_later(self) {
        if self.drawing.with_value(|drawing| drawing.next.is_none()) {
            let next = set_timeout_with_handle(move || self.draw(), DRAW_EVERY).ok();
            self.drawing.update_value(|drawing| drawing.next = next);
        }
    }

    /// Moves the rows from the buffer into the window.
    fn draw(self) {
        let drawing = Drawing { last: Some(time::now()), next: None };
        // The timer may outlive the page.
        let Some(before) = self.drawing.try_update_value(|known| std::mem::replace(known, drawing)) else { return };
        if let Some(timer) = before.next {
            timer.clear();
        }
        let rows = self.buffer.try_update_value(std::mem::take).unwrap_or_default();
        if !rows.is_empty() {
            let arrivals = self.arrivals.get_untracked();
            let is_reading = self.reading.with_untracked(|reading| matches!(reading, Reading::Rows(_)));
            self.arrived.update(|arrived| *arrived += rows.len() as u64);
            self.window.update(|window| window.add_newer(rows, arrivals, time::now()));
            if !is_reading {
                self.drop_oldest();
            }
        }
        if let Some(through) = self.buffered_through.try_update_value(Option::take).flatten() {
            self.through.set(Some(through));
        }
    }

    fn clear_buffer(self) {
        self.buffer.set_value(Vec::new());
        self.buffered_through.set_value(None);
    }

    fn drop_oldest(self) {
        if self.window.try_update_untracked(LogWindow::drop_oldest) == Some(true) {
            self.window.notify();
            self.rescan(Direction::Older, LogWindow::oldest);
        }
    }

    fn drop_newest(self) {
        self.change(LogWindow::drop_newest);
        if self.window.with_untracked(LogWindow::top) == Top::Gap {
            self.rescan(Direction::Newer, LogWindow::newest_shown);
        }
    }

    /// Resets the scan to the last row that is left.
    fn rescan(self, direction: Direction, last: impl FnOnce(&LogWindow) -> Option<LogSeq>) {
        if let Some(seq) = self.window.with_untracked(last) {
            self.scan.update(|scan| *scan = scan.map(|scan| scan.reset_to(direction, seq)));
        }
    }

    fn abort(self) {
        drop(self.request.try_update_value(Option::take));
    }

    fn close(self) {
        self.abort();
        self.stream.close();
    }
}
