//! `/viewlog`: the log, streaming in and then live.

use std::sync::Arc;

use api::{LogFilter, LogPosition, LogRow, LogSeq, with_absolute_times};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::log::drawer::{LogDrawer, Neighbour};
use crate::log::query::{LogQuery, Question, Reading};
use crate::log::scan::{Direction, fetch_row};
use crate::log::state::{LogProgress, LogState};
use crate::log::table::LogTable;
use crate::log::toolbar::{LogToolbar, newer_rows};
use crate::log::virtual_rows::VirtualRows;
use crate::log::window::{Arrivals, LogWindow, Top};
use crate::platform::retry::{self, Outcome};
use crate::platform::router::Router;
use crate::platform::{context, time, url};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::{format, highlight, shortcuts};

/// The next page is read when the last row drawn is this close to the last known row.
const READ_AHEAD_ROWS: usize = 200;
/// The same for filtered reads, which must scan for rows: a screenful is enough until the visitor scrolls.
const SCAN_AHEAD_ROWS: usize = 20;

#[component]
pub fn LogPage() -> impl IntoView {
    let view = LogView::new();
    let LogView { typed, position, query, rows, selected, opened, .. } = view;
    let filter = Memo::new(move |_| {
        typed.with(|typed| LogFilter::parse(typed.as_deref().unwrap_or_default(), &time::LocalZone))
    });
    let error = Memo::new(move |_| filter.get().err());
    query.on_shift(Callback::new(move |shift| rows.shift(shift)));
    Effect::new(move |_| {
        // A filter with an error may only be unfinished: the rows of the previous filter stay.
        if let (Ok(filter), position) = (filter.get(), position.get()) {
            selected.set(None);
            rows.scroll_to_top();
            query.start(Question { filter, position });
        }
    });
    let open = Callback::new(move |seq| view.open(seq));
    let go_to = Callback::new(move |position| view.go_to(position));
    view.load_opened_row();
    view.leave_replaced_rows();
    view.read_ahead();
    view.hold_while_reading();
    view.select_position();
    view.handle_keys();
    view! {
        <div class="page page-full">
            <PageHeading text="Log" />
            <LogToolbar
                query filter=typed error on_filter=Callback::new(move |q| view.filter(q)) position on_position=go_to
            />
            <LogNotice view />
            <div class="log_frame">
                <LogTable query selected rows on_open=open />
                <NewerRows query position on_press=Callback::new(move |()| view.go_to_newest()) />
                <LogState query filter=typed error />
                <LogProgress query />
            </div>
            <LogDrawer
                row=opened
                on_move=Callback::new(move |neighbour| view.open_neighbour(neighbour))
                on_close=Callback::new(move |()| view.show(typed.get_untracked(), None))
            />
        </div>
    }
}

/// Says that the rows are not those that were there before, or that the address names something that is not there.
#[component]
fn LogNotice(view: LogView) -> impl IntoView {
    let LogView { at, position, missing, typed, query, .. } = view;
    let text = Memo::new(move |_| {
        let at = at.get().filter(|_| position.get().is_none());
        let nowhere =
            |at: String| format!("“{}” is no row and no time. The newest rows are shown.", highlight::visible(&at));
        let replaced = "The database was restored to an older state, and the log was read again. Row numbers may belong \
                        to other rows now.";
        query.is_replaced.get().then(|| replaced.to_owned()).or(missing.get()).or(at.map(nowhere))
    });
    let close = move |_| {
        if query.is_replaced.get_untracked() {
            query.is_replaced.set(false);
        } else {
            view.router.replace(&address(typed.get_untracked(), position.get_untracked(), None), None);
        }
    };
    move || {
        text.get().map(|text| {
            view! {
                <Notice tone=Tone::Warning text>
                    <button class="button" type="button" on:click=close>"Close"</button>
                </Notice>
            }
        })
    }
}

/// A button that says how many newer rows there are, and shows them.
#[component]
fn NewerRows(query: LogQuery, position: Memo<Option<LogPosition>>, on_press: Callback<()>) -> impl IntoView {
    let text = Memo::new(move |_| newer_rows(query, position.with(Option::is_some)));
    let is_shown = Memo::new(move |_| text.with(Option::is_some));
    view! {
        <Show when=move || is_shown.get()>
            <button class="new_rows" type="button" on:click=move |_| on_press.run(())>
                <Icon symbol=Symbol::Up />
                {move || text.get()}
            </button>
        </Show>
    }
}

/// The state of the page. Filter, position and opened row are in its address.
#[derive(Clone, Copy)]
struct LogView {
    router: Router,
    /// The filter as typed.
    typed: Memo<Option<String>>,
    /// The position as the address names it.
    at: Memo<Option<String>>,
    position: Memo<Option<LogPosition>>,
    query: LogQuery,
    rows: VirtualRows,
    selected: RwSignal<Option<LogSeq>>,
    /// The row in the drawer.
    opened: RwSignal<Option<Arc<LogRow>>>,
    /// Why the row that the address names is not in the drawer.
    missing: RwSignal<Option<String>>,
}

impl LogView {
    fn new() -> Self {
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
        }
    }

    /// Filters by `typed`. In the address, times are absolute: it may be sent to people in other zones.
    fn filter(self, typed: Option<String>) {
        self.show(typed.map(|typed| with_absolute_times(&typed, &time::LocalZone)), None);
    }

    fn show(self, filter: Option<String>, row: Option<LogSeq>) {
        self.router.replace(&address(filter, self.position.get_untracked(), row), None);
    }

    fn go_to(self, position: Option<LogPosition>) {
        self.router.go(&address(self.typed.get_untracked(), position, None));
    }

    fn open(self, seq: LogSeq) {
        self.selected.set(Some(seq));
        self.show(self.typed.get_untracked(), Some(seq));
    }

    fn open_neighbour(self, neighbour: Neighbour) {
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

    fn go_to_newest(self) {
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
            self.missing.set(Some(format!("“{}” is no row's number.", highlight::visible(&asked))));
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
                    Ok(None) => Some(format!("There is no row {}. It may have been deleted.", format::row_number(seq))),
                    Err(error) => Some(format!("Row {} cannot be shown. {}", format::row_number(seq), error.message)),
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
        let Self { selected, opened, .. } = self;
        let listener = window_event_listener(ev::keydown, move |event| {
            if !shortcuts::is_command(&event) {
                return;
            }
            match event.key().as_str() {
                "j" | "ArrowDown" => self.select_neighbour(Neighbour::Older),
                "k" | "ArrowUp" => self.select_neighbour(Neighbour::Newer),
                "Escape" if opened.with_untracked(Option::is_none) => selected.set(None),
                "Enter" if shortcuts::is_on_list(&event) => drop(selected.get_untracked().map(|seq| self.open(seq))),
                _ => return,
            }
            event.prevent_default();
        });
        on_cleanup(move || listener.remove());
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

fn address(filter: Option<String>, position: Option<LogPosition>, row: Option<LogSeq>) -> String {
    let row = row.map(|LogSeq(seq)| seq.to_string());
    let position = position.map(|position| position.to_string());
    url::with_query("/viewlog", &[("q", filter.as_deref()), ("at", position.as_deref()), ("row", row.as_deref())])
}
