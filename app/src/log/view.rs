//! The state of the log's page, and what changes it.

use std::sync::Arc;

use api::{FilterList, LogPosition, LogRow, LogSeq, with_absolute_times};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::KeyboardEvent;

use crate::log::drawer::Neighbour;
use crate::log::query::{LogQuery, Reading};
use crate::log::scan::{Direction, fetch_row};
use crate::log::virtual_rows::VirtualRows;
use crate::log::window::{Arrivals, LogWindow, Top};
use crate::log::words;
use crate::platform::retry::{self, Outcome};
use crate::platform::router::Router;
use crate::platform::{context, time, url};
use crate::ui::{format, highlight, shortcuts};

/// The next page is read when the last row drawn is this close to the last known row.
const READ_AHEAD_ROWS: usize = 200;
/// The same for filtered reads, which must scan for rows: a screenful is enough until the visitor scrolls.
const SCAN_AHEAD_ROWS: usize = 20;
/// The note of a history entry that was made to open the drawer: going back closes it.
const OPENED_HERE: &str = "opened";

/// The state of the page. Filter, position and opened row are in its address.
#[derive(Clone, Copy)]
pub struct LogView {
    pub router: Router,
    /// The filter as typed.
    pub typed: Memo<Option<String>>,
    /// The position as the address names it.
    pub at: Memo<Option<String>>,
    pub position: Memo<Option<LogPosition>>,
    pub query: LogQuery,
    pub rows: VirtualRows,
    pub selected: RwSignal<Option<LogSeq>>,
    /// The row in the drawer.
    pub opened: RwSignal<Option<Arc<LogRow>>>,
    /// Why the row that the address names is not in the drawer.
    pub missing: RwSignal<Option<String>>,
    /// Whether the browser was asked to go back, and has not done so yet.
    is_leaving: StoredValue<bool>,
}

impl LogView {
    pub fn new() -> Self {
        let router = context::router();
        let at = router.parameter("at");
        Self {
            router,
            typed: router.parameter("q"),
            at,
            position: Memo::new(move |_| at.with(|at| at.as_deref()?.parse().ok())),
            query: LogQuery::new(),
            rows: VirtualRows::new(),
            selected: RwSignal::new(None),
            opened: RwSignal::new(None),
            missing: RwSignal::new(None),
            is_leaving: StoredValue::new(false),
        }
    }

    /// Keeps the state up to date as long as the calling page is shown.
    pub fn follow(self) {
        self.load_opened_row();
        self.leave_replaced_rows();
        self.read_ahead();
        self.hold_while_reading();
        self.select_position();
        self.handle_keys();
    }

    /// Filters by `typed`. In the address, times are absolute: it may be sent to people in other zones.
    pub fn filter(self, typed: Option<String>) {
        self.show(typed.map(|typed| with_absolute_times(&typed, FilterList::Log, &time::LocalZone)), None);
    }

    pub fn show(self, filter: Option<String>, row: Option<LogSeq>) {
        self.router.replace(&address(filter, self.position.get_untracked(), row), None);
    }

    pub fn go_to(self, position: Option<LogPosition>) {
        self.router.go(&address(self.typed.get_untracked(), position, None));
    }

    /// The address of a row in the drawer, beside the rows that are shown.
    pub fn address_of(self, row: LogSeq) -> String {
        address(self.typed.get(), self.position.get(), Some(row))
    }

    /// Opens the drawer as a new entry of the history. In an open drawer, the row changes.
    pub fn open(self, seq: LogSeq) {
        self.selected.set(Some(seq));
        let (location, address) = untrack(|| (self.router.location(), self.address_of(seq)));
        match location.parameter("row") {
            Some(_) => self.router.replace(&address, location.note.as_deref()),
            None => self.router.go_with_note(&address, Some(OPENED_HERE)),
        }
    }

    /// Closes the drawer, by going back if it was opened here.
    pub fn close(self) {
        let location = untrack(|| self.router.location());
        if location.parameter("row").is_none() || self.is_leaving.get_value() {
            return;
        }
        if location.note.as_deref() == Some(OPENED_HERE) {
            self.is_leaving.set_value(true);
            self.router.back();
        } else {
            self.show(self.typed.get_untracked(), None);
        }
    }

    pub fn open_neighbour(self, neighbour: Neighbour) {
        // A row that was opened by its address is not selected.
        let opened = self.opened.with_untracked(|row| row.as_ref().map(|row| row.seq));
        if let Some(row) = self.neighbour_of(opened.or(self.selected.get_untracked()), neighbour) {
            self.open(row.seq);
        }
    }

    fn neighbour_of(self, from: Option<LogSeq>, neighbour: Neighbour) -> Option<Arc<LogRow>> {
        self.query.window.with_untracked(|window| {
            let position = match (from.and_then(|seq| window.position_of(seq)), neighbour) {
                (Some(position), Neighbour::Older) => position + 1,
                (Some(position), Neighbour::Newer) => position.checked_sub(1)?,
                (None, _) => window.within(self.rows.first_visible()..usize::MAX).start,
            };
            window.get(position)
        })
    }

    pub fn go_to_newest(self) {
        self.selected.set(None);
        self.rows.scroll_to_top();
        if self.position.get_untracked().is_some() {
            self.go_to(None);
        } else {
            self.show_newest();
        }
    }

    /// Shows the rows that have arrived meanwhile, and reads them first if they were not held.
    fn show_newest(self) {
        match self.query.window.with_untracked(LogWindow::top) {
            Top::Live => self.query.window.update(|window| window.release(time::now())),
            Top::Gap => self.query.restart(),
        }
    }

    /// Opens the row that the address names, from the window or from the server.
    fn load_opened_row(self) {
        let named = self.router.parameter("row");
        let (outcome, again) = (RwSignal::new(Outcome::Answered), Trigger::new());
        retry::until_answered(move || outcome.get(), move || again.notify());
        Effect::new(move |before: Option<Option<String>>| {
            again.track();
            let asked = named.get();
            self.is_leaving.set_value(false);
            if before.as_ref() != Some(&asked) {
                self.missing.set(None);
                outcome.set(Outcome::Answered);
            }
            self.load_row(named, asked.clone(), outcome);
            asked
        });
    }

    fn load_row(self, named: Memo<Option<String>>, asked: Option<String>, outcome: RwSignal<Outcome>) {
        let Some(asked) = asked else {
            self.opened.set(None);
            return;
        };
        let Ok(seq) = asked.parse().map(LogSeq) else {
            self.opened.set(None);
            self.missing.set(Some(words::no_row_number(&highlight::visible(&asked))));
            return;
        };
        let window = self.query.window;
        let known = window.with_untracked(|window| window.position_of(seq).and_then(|at| window.get(at)));
        match known {
            Some(row) => {
                self.missing.set(None);
                outcome.set(Outcome::Answered);
                self.opened.set(Some(row));
            }
            None => spawn_local(async move {
                let row = fetch_row(seq).await;
                // Meanwhile another row may have been opened, or the drawer closed.
                if named.try_get_untracked().flatten() != Some(asked) {
                    return;
                }
                outcome.try_set(Outcome::of(&row));
                self.missing.try_set(match &row {
                    Ok(Some(_)) => None,
                    Ok(None) => Some(words::no_row(&format::row_number(seq))),
                    Err(error) => Some(words::unreadable_row(&format::row_number(seq), &error.message)),
                });
                self.opened.try_set(row.ok().flatten().map(Arc::new));
            }),
        }
    }

    /// Nothing of the rows before the restore stays selected or open: their numbers may be those of others now.
    fn leave_replaced_rows(self) {
        Effect::new(move |_| {
            if self.query.is_replaced.get() {
                self.selected.set(None);
                self.show(self.typed.get_untracked(), None);
            }
        });
    }

    fn read_ahead(self) {
        let Self { query, rows, .. } = self;
        let outcome = move || match query.reading.get() {
            Reading::Rows(_) => Outcome::Pending,
            Reading::Failed(_, error) => Outcome::of::<()>(&Err(error)),
            Reading::Nothing | Reading::Stopped(_) => Outcome::Answered,
        };
        retry::until_answered(outcome, move || query.resume());
        Effect::new(move |_| {
            // A failed page and a stopped scan wait for their buttons.
            if query.reading.get() != Reading::Nothing {
                return;
            }
            let (shown, top, is_complete) =
                query.window.with(|window| (window.positions(), window.top(), window.is_complete));
            let drawn = rows.to_draw(shown.end);
            let ahead = if query.is_filtered() { SCAN_AHEAD_ROWS } else { READ_AHEAD_ROWS };
            if !is_complete && drawn.end + ahead >= shown.end {
                query.read(Direction::Older);
            } else if top == Top::Gap && drawn.start < shown.start + ahead {
                query.read(Direction::Newer);
            }
        });
    }

    /// Nothing moves while the visitor reads further down or has a row selected.
    fn hold_while_reading(self) {
        let Self { query, rows, selected, position, .. } = self;
        let is_reading = Memo::new(move |_| !rows.is_at_top() || selected.get().is_some());
        Effect::new(move |_| {
            query.arrivals.set(if is_reading.get() { Arrivals::Hold } else { Arrivals::Show });
            let is_behind = query.window.with_untracked(|window| window.waiting() > 0 || window.positions().start > 0);
            if !is_reading.get() && is_behind && position.with_untracked(Option::is_none) {
                self.show_newest();
            }
        });
    }

    /// Selects the row that the visitor went to.
    fn select_position(self) {
        let Self { query, selected, position, .. } = self;
        let is_empty = Memo::new(move |_| query.window.with(LogWindow::is_empty));
        Effect::new(move |_| {
            if !is_empty.get() && position.with_untracked(Option::is_some) {
                selected.set(query.window.with_untracked(LogWindow::newest_shown));
            }
        });
    }

    fn handle_keys(self) {
        let listener = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" {
                self.escape(&event);
                return;
            }
            if !shortcuts::is_command(&event) {
                return;
            }
            match event.key().as_str() {
                "j" | "ArrowDown" => self.select_neighbour(Neighbour::Older),
                "k" | "ArrowUp" => self.select_neighbour(Neighbour::Newer),
                // The link that was pressed last may have the focus, and another row be selected since.
                "Enter" if shortcuts::is_on_list(&event) || shortcuts::is_on(&event, ".log_link") => {
                    let _ = self.selected.get_untracked().map(|seq| self.open(seq));
                }
                _ => return,
            }
            event.prevent_default();
        });
        on_cleanup(move || listener.remove());
    }

    /// Closes what is topmost, or deselects.
    fn escape(self, event: &KeyboardEvent) {
        if event.default_prevented() || shortcuts::is_of_input_method(event) || shortcuts::is_browsers_to_close() {
            return;
        }
        if self.opened.with_untracked(Option::is_some) {
            self.close();
        } else if shortcuts::is_typing(event) {
            shortcuts::focus(".log_table");
        } else if self.selected.get_untracked().is_some() {
            self.selected.set(None);
        } else {
            return;
        }
        event.prevent_default();
    }

    fn select_neighbour(self, neighbour: Neighbour) {
        let Self { query, rows, selected, opened, .. } = self;
        if opened.with_untracked(Option::is_some) {
            self.open_neighbour(neighbour);
        } else if let Some(row) = self.neighbour_of(selected.get_untracked(), neighbour) {
            selected.set(Some(row.seq));
        }
        let position =
            query.window.with_untracked(|window| selected.get_untracked().and_then(|seq| window.position_of(seq)));
        let _ = position.map(|position| rows.reveal(position));
    }
}

pub fn address(filter: Option<String>, position: Option<LogPosition>, row: Option<LogSeq>) -> String {
    let row = row.map(|LogSeq(seq)| seq.to_string());
    let position = position.map(|position| position.to_string());
    url::with_query("/viewlog", &[("q", filter.as_deref()), ("at", position.as_deref()), ("row", row.as_deref())])
}
