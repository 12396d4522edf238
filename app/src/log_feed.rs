//! Fills a log book: pages of rows on demand, new rows as they are written.

mod answer;
mod look;

use std::time::Duration;

use api::{ApiError, LogFilter, LogPosition, LogRow, LogSeq, ScanProgress, TimeMs};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::AbortController;

pub use self::answer::fetch_row;
pub use self::look::{Look, Way};

use self::answer::parse;
use crate::context;
use crate::live::{Link, Live, Subscription};
use crate::log_book::{Arrivals, LogBook, Shift, Top};
use crate::moment;
use crate::ndjson;
use crate::session::Session;
use crate::url;

/// Rows per request: a few hundred kilobytes, and many screens.
const PAGE_ROWS: usize = 1_000;
/// New rows are shown together, and no more often than this: drawing a screen takes longer than reading its rows, so that
/// a page that draws whatever comes falls behind for ever.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// After which row new ones are wanted, where only those are that are written from now on.
const FROM_NOW_ON: LogSeq = LogSeq(i64::MAX);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Rows(Way),
    Nothing,
    /// Somebody has stopped the look for rows.
    Stopped(Way),
    Failed(Way, ApiError),
}

/// Which rows are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    pub filter: LogFilter,
    /// Where the list begins; the newest row where there is none.
    pub place: Option<LogPosition>,
}

/// When what came in is shown.
#[derive(Clone, Copy, Debug, Default)]
struct Drawing {
    last: Option<TimeMs>,
    next: Option<TimeoutHandle>,
}

#[derive(Clone, Copy)]
pub struct LogFeed {
    pub book: RwSignal<LogBook>,
    pub reading: RwSignal<Reading>,
    /// All rows up to this one have been delivered.
    pub through: RwSignal<Option<LogSeq>>,
    pub arrivals: RwSignal<Arrivals>,
    /// How far was looked for rows that match the filter.
    pub look: RwSignal<Option<Look>>,
    /// Called with the number of rows by which the shown ones have moved.
    moved: StoredValue<Option<Callback<Shift>>>,
    /// None until the first one was asked.
    question: StoredValue<Option<Question>>,
    /// Rows that came in and are not in the book yet.
    buffer: StoredValue<Vec<LogRow>>,
    /// What [`LogFeed::through`] will be once these are.
    buffered_through: StoredValue<Option<LogSeq>>,
    drawing: StoredValue<Drawing>,
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
            look: RwSignal::new(None),
            moved: StoredValue::new(None),
            question: StoredValue::new(None),
            buffer: StoredValue::new(Vec::new()),
            buffered_through: StoredValue::new(None),
            drawing: StoredValue::new(Drawing::default()),
            abort: StoredValue::new_local(None),
            live: StoredValue::new_local(None),
            session: context::session(),
            link: context::connection().0,
        };
        on_cleanup(move || feed.close());
        feed
    }

    /// From now on says to `moved` by how many rows the shown ones have moved in the list.
    pub fn when_moved(self, moved: Callback<Shift>) {
        self.moved.set_value(Some(moved));
    }

    /// Begins anew with the rows of `question`.
    pub fn start(self, question: Question) {
        self.close();
        let top = if question.place.is_some() { Top::Gap } else { Top::Live };
        self.question.set_value(Some(question));
        self.empty_buffer();
        self.book.set(LogBook::beginning(top));
        self.through.set(None);
        self.look.set(None);
        self.reading.set(Reading::Nothing);
        self.read(Way::Older);
    }

    /// Begins anew with the newest rows of the same question.
    pub fn start_again(self) {
        if let Some(question) = self.question.get_value() {
            self.start(question);
        }
    }

    #[must_use]
    pub fn is_filtered(self) -> bool {
        self.question.with_value(|question| question.as_ref().is_some_and(|question| !question.filter.is_empty()))
    }

    /// Reads the next page of older or newer rows, unless one is on its way or none is left.
    pub fn read(self, way: Way) {
        let is_over = self.book.with_untracked(|book| match way {
            Way::Older => book.is_complete,
            Way::Newer => book.top() == Top::Live,
        });
        let is_reading = self.reading.with_untracked(|reading| matches!(reading, Reading::Rows(_)));
        if is_over || is_reading || self.question.with_value(Option::is_none) {
            return;
        }
        let Ok(abort) = AbortController::new() else { return };
        let signal = abort.signal();
        self.abort.set_value(Some(abort));
        self.reading.set(Reading::Rows(way));
        let url = self.page_url(way);
        spawn_local(async move {
            let mut read = 0;
            let mut looked = None;
            let mut failure = None;
            let deliver = |lines: Vec<Vec<u8>>| {
                if !signal.aborted() {
                    let answer = parse(&lines);
                    read += answer.rows.len();
                    looked = looked.or(answer.looked);
                    failure = failure.take().or(answer.failure);
                    self.add(way, answer.rows);
                }
            };
            let outcome = ndjson::read(&url, &signal, deliver).await;
            if !signal.aborted() {
                match outcome.err().or(failure) {
                    Some(error) => self.fail(way, error),
                    None => self.finish(way, read, looked),
                }
            }
        });
    }

    /// Ends the look for rows that match the filter, until somebody wants it to go on.
    pub fn stop(self) {
        if let Reading::Rows(way) = self.reading.get_untracked() {
            self.abort();
            self.reading.set(Reading::Stopped(way));
        }
    }

    /// Goes on where the look was stopped, or where reading has failed.
    pub fn go_on(self) {
        if let Reading::Stopped(way) | Reading::Failed(way, _) = self.reading.get_untracked() {
            self.read(way);
        }
    }

    fn page_url(self, way: Way) -> String {
        let look = self.look.get_untracked().unwrap_or_default();
        let (before, after) = self.book.with_untracked(|book| match way {
            Way::Older => (look.reached(way).or(book.oldest()), None),
            // Where nothing older was found, the newer ones begin where that look has.
            Way::Newer => {
                let reached = look.reached(way).max(book.newest_shown()).or(look.began(Way::Older));
                (None, Some(reached.unwrap_or_default()))
            }
        });
        let number = |seq: Option<LogSeq>| seq.map(|LogSeq(seq)| seq.to_string());
        let (before, after) = (number(before), number(after));
        let is_first = before.is_none() && after.is_none();
        let limit = PAGE_ROWS.to_string();
        let place = self.question.with_value(|question| question.as_ref().and_then(|question| question.place));
        let place = place.filter(|_| is_first).map(|place| place.to_string());
        let filter = self.filter_text();
        let parameters = [
            ("before", before.as_deref()),
            ("after", after.as_deref()),
            ("at", place.as_deref()),
            ("q", filter.as_deref()),
            ("limit", Some(limit.as_str())),
        ];
        url::with_query("/api/admin/log/rows", &parameters)
    }

    fn filter_text(self) -> Option<String> {
        let text = self.question.with_value(|question| question.as_ref().map(|question| question.filter.to_string()));
        text.filter(|text| !text.is_empty())
    }

    fn add(self, way: Way, rows: Vec<LogRow>) {
        match way {
            Way::Older => {
                self.book.update(|book| book.append_older(rows));
                // With the first row it is known where new ones begin: no need to wait for the rest. With a filter it
                // is not: the newest that matches may be far behind the newest.
                if !self.is_filtered() {
                    self.go_live();
                }
            }
            Way::Newer => self.change(|book| book.prepend_newer(rows)),
        }
    }

    /// Changes the book in a way that may move the rows that are shown.
    fn change(self, change: impl FnOnce(&mut LogBook) -> Shift) {
        let shift = self.book.try_update(change).unwrap_or_default();
        if let Some(moved) = self.moved.get_value().filter(|_| shift != 0) {
            moved.run(shift);
        }
    }

    fn fail(self, way: Way, error: ApiError) {
        self.session.notice(&error);
        self.reading.set(Reading::Failed(way, error));
    }

    fn finish(self, way: Way, read: usize, looked: Option<ScanProgress>) {
        let is_done = looked.map_or(read < PAGE_ROWS, |looked| looked.is_done);
        if let Some(looked) = looked {
            self.look.update(|look| *look = Some(look.unwrap_or_default().and(way, looked)));
            if self.through.get_untracked().is_none() {
                self.through.set(Some(looked.last));
            }
        }
        match way {
            Way::Older => {
                self.book.update(|book| book.is_complete = is_done);
                self.drop_newest();
            }
            Way::Newer => {
                self.drop_oldest();
                if is_done {
                    self.catch_up(looked.map(|looked| looked.last));
                }
            }
        }
        self.reading.set(Reading::Nothing);
        self.go_live();
    }

    /// The gap is read: what comes after it comes live. The stream begins again, because of what it has brought
    /// nothing was kept while there was a gap.
    fn catch_up(self, last: Option<LogSeq>) {
        drop(self.live.try_update_value(Option::take));
        self.empty_buffer();
        self.change(LogBook::close_gap);
        self.through.set(last.max(self.book.with_untracked(LogBook::newest_shown)));
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
        // The rows up to `through` are known even where the filter has kept them from us.
        let through = self.buffered_through.get_value().or(self.through.get_untracked());
        let newest = self.book.with_untracked(|book| match book.top() {
            Top::Live => book.newest(),
            Top::Gap => Some(through.unwrap_or(FROM_NOW_ON)),
        });
        let LogSeq(after) = [buffered, newest, through].into_iter().flatten().max().unwrap_or_default();
        let filter = self.filter_text();
        let after = after.to_string();
        url::with_query("/api/admin/log/events", &[("after", Some(after.as_str())), ("q", filter.as_deref())])
    }

    fn deliver(self, event: &str, data: &str) {
        match event {
            "row" => {
                let Ok(row) = serde_json::from_str::<LogRow>(data) else { return };
                self.buffer.update_value(|buffer| buffer.push(row));
                self.draw_later();
            }
            _ => {
                self.buffered_through.set_value(data.parse().ok().map(LogSeq));
                // It comes behind the last row that there is: where nothing was drawn for a while, nothing is waited for.
                let last = self.drawing.with_value(|drawing| drawing.last);
                if last.is_none_or(|last| moment::now() >= last.after(DRAW_EVERY)) {
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

    /// Moves what has come in from the buffer into the book.
    fn draw(self) {
        let drawing = Drawing { last: Some(moment::now()), next: None };
        // The timer may outlive the page.
        let Some(before) = self.drawing.try_update_value(|known| std::mem::replace(known, drawing)) else { return };
        if let Some(timer) = before.next {
            timer.clear();
        }
        let rows = self.buffer.try_update_value(std::mem::take).unwrap_or_default();
        if !rows.is_empty() {
            let arrivals = self.arrivals.get_untracked();
            let is_reading = self.reading.with_untracked(|reading| matches!(reading, Reading::Rows(_)));
            self.book.update(|book| book.add_newer(rows, arrivals, moment::now()));
            if !is_reading {
                self.drop_oldest();
            }
        }
        if let Some(through) = self.buffered_through.try_update_value(Option::take).flatten() {
            self.through.set(Some(through));
        }
    }

    fn empty_buffer(self) {
        self.buffer.set_value(Vec::new());
        self.buffered_through.set_value(None);
    }

    fn drop_oldest(self) {
        if self.book.try_update_untracked(LogBook::drop_oldest) == Some(true) {
            self.book.notify();
            self.look_again(Way::Older, LogBook::oldest);
        }
    }

    fn drop_newest(self) {
        self.change(LogBook::drop_newest);
        if self.book.with_untracked(LogBook::top) == Top::Gap {
            self.look_again(Way::Newer, LogBook::newest_shown);
        }
    }

    /// The rows beyond the last one that is left, on this way, are to be looked for again.
    fn look_again(self, way: Way, last: impl FnOnce(&LogBook) -> Option<LogSeq>) {
        if let Some(seq) = self.book.with_untracked(last) {
            self.look.update(|look| *look = look.map(|look| look.back_to(way, seq)));
        }
    }

    fn abort(self) {
        if let Some(abort) = self.abort.try_update_value(Option::take).flatten() {
            abort.abort();
        }
    }

    fn close(self) {
        self.abort();
        drop(self.live.try_update_value(Option::take));
    }
}
