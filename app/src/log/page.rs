//! `/viewlog`: the log, streaming in and then live.

use std::sync::Arc;

use api::{LogFilter, LogPosition, LogRow, LogSeq};
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
use crate::platform::{context, time, url};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::page::PageHeading;
use crate::ui::shortcuts;

/// The next page is read when the last row drawn is this close to the last known row.
const READ_AHEAD_ROWS: usize = 200;
/// The same for filtered reads, which must scan for rows: a screenful is enough until the visitor scrolls.
const SCAN_AHEAD_ROWS: usize = 20;

#[component]
pub fn LogPage() -> impl IntoView {
    let router = context::router();
    let typed = router.parameter("q");
    let filter = Memo::new(move |_| typed.with(|typed| typed.as_deref().unwrap_or_default().parse::<LogFilter>()));
    let error = Memo::new(move |_| filter.get().err());
    let at = router.parameter("at");
    let position = Memo::new(move |_| at.with(|at| at.as_deref()?.parse::<LogPosition>().ok()));
    let query = LogQuery::new();
    let rows = VirtualRows::new();
    query.on_shift(Callback::new(move |shift| rows.shift(shift)));
    let selected = RwSignal::new(None::<LogSeq>);
    Effect::new(move |_| {
        // A filter with an error may only be unfinished: the rows of the previous filter stay.
        if let (Ok(filter), position) = (filter.get(), position.get()) {
            selected.set(None);
            rows.scroll_to_top();
            query.start(Question { filter, position });
        }
    });
    let address = move |q: Option<String>, position: Option<LogPosition>, row: Option<LogSeq>| {
        let row = row.map(|LogSeq(seq)| seq.to_string());
        let position = position.map(|position| position.to_string());
        url::with_query("/viewlog", &[("q", q.as_deref()), ("at", position.as_deref()), ("row", row.as_deref())])
    };
    let show = move |q, row| router.replace(&address(q, position.get_untracked(), row), None);
    let go_to = Callback::new(move |position| router.go(&address(typed.get_untracked(), position, None)));
    let open = Callback::new(move |seq| {
        selected.set(Some(seq));
        show(typed.get_untracked(), Some(seq));
    });
    let close = Callback::new(move |()| show(typed.get_untracked(), None));
    let opened = opened_row(query);
    let step = move |neighbour| {
        // A row that was opened by its address is not selected.
        let shown = opened.with_untracked(|row| row.as_ref().map(|row| row.seq));
        neighbour_of(query, rows, shown.or(selected.get_untracked()), neighbour)
    };
    let go = Callback::new(move |neighbour| {
        if let Some(row) = step(neighbour) {
            open.run(row.seq);
        }
    });
    let go_to_newest = Callback::new(move |()| {
        selected.set(None);
        rows.scroll_to_top();
        if position.get_untracked().is_some() {
            go_to.run(None);
        } else {
            show_newest(query);
        }
    });

    read_ahead(query, rows);
    hold_while_reading(query, rows, selected, position);
    select_position(query, position, selected);
    handle_keys(query, rows, selected, open, go, opened);
    view! {
        <div class="page page-full">
            <PageHeading text="Log" />
            <LogToolbar query filter=typed error on_filter=Callback::new(move |q| show(q, None)) position on_position=go_to />
            <div class="log_frame">
                <LogTable query selected rows on_open=open />
                <NewerRows query position on_press=go_to_newest />
                <LogState query error />
                <LogProgress query />
            </div>
            <LogDrawer row=opened on_move=go on_close=close />
        </div>
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

/// Shows the rows that have arrived meanwhile; reads them if they were not held.
fn show_newest(query: LogQuery) {
    match query.window.with_untracked(LogWindow::top) {
        Top::Live => query.window.update(|window| window.release(time::now())),
        Top::Gap => query.restart(),
    }
}

/// The row that the address names, from the window or from the server.
fn opened_row(query: LogQuery) -> RwSignal<Option<Arc<LogRow>>> {
    let named = context::router().parameter("row");
    let opened = RwSignal::new(None::<Arc<LogRow>>);
    Effect::new(move |_| {
        let Some(seq) = named.get().and_then(|row| row.parse().ok()).map(LogSeq) else {
            opened.set(None);
            return;
        };
        let known =
            query.window.with_untracked(|window| window.position_of(seq).and_then(|position| window.get(position)));
        match known {
            Some(row) => opened.set(Some(row)),
            None => spawn_local(async move {
                let row = fetch_row(seq).await.ok().flatten();
                opened.try_set(row.map(Arc::new));
            }),
        }
    });
    opened
}

fn neighbour_of(query: LogQuery, rows: VirtualRows, from: Option<LogSeq>, neighbour: Neighbour) -> Option<Arc<LogRow>> {
    query.window.with_untracked(|window| {
        let position = match (from.and_then(|seq| window.position_of(seq)), neighbour) {
            (Some(position), Neighbour::Older) => position + 1,
            (Some(position), Neighbour::Newer) => position.checked_sub(1)?,
            (None, _) => window.within(rows.first_visible()..usize::MAX).start,
        };
        window.get(position)
    })
}

fn read_ahead(query: LogQuery, rows: VirtualRows) {
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

/// Nothing moves while the visitor reads: further down, or with a row selected.
fn hold_while_reading(
    query: LogQuery,
    rows: VirtualRows,
    selected: RwSignal<Option<LogSeq>>,
    position: Memo<Option<LogPosition>>,
) {
    let is_reading = Memo::new(move |_| !rows.is_at_top() || selected.get().is_some());
    Effect::new(move |_| {
        query.arrivals.set(if is_reading.get() { Arrivals::Hold } else { Arrivals::Show });
        let is_behind = query.window.with_untracked(|window| window.waiting() > 0 || window.positions().start > 0);
        if !is_reading.get() && is_behind && position.with_untracked(Option::is_none) {
            show_newest(query);
        }
    });
}

/// Selects the row that the visitor went to.
fn select_position(query: LogQuery, position: Memo<Option<LogPosition>>, selected: RwSignal<Option<LogSeq>>) {
    let is_empty = Memo::new(move |_| query.window.with(LogWindow::is_empty));
    Effect::new(move |_| {
        if !is_empty.get() && position.with_untracked(Option::is_some) {
            selected.set(query.window.with_untracked(LogWindow::newest_shown));
        }
    });
}

fn handle_keys(
    query: LogQuery,
    rows: VirtualRows,
    selected: RwSignal<Option<LogSeq>>,
    open: Callback<LogSeq>,
    go: Callback<Neighbour>,
    opened: RwSignal<Option<Arc<LogRow>>>,
) {
    let select = move |neighbour| {
        if opened.with_untracked(Option::is_some) {
            go.run(neighbour);
        } else if let Some(row) = neighbour_of(query, rows, selected.get_untracked(), neighbour) {
            selected.set(Some(row.seq));
        }
        let position =
            query.window.with_untracked(|window| selected.get_untracked().and_then(|seq| window.position_of(seq)));
        let _ = position.map(|position| rows.reveal(position));
    };
    let listener = window_event_listener(ev::keydown, move |event| {
        if !shortcuts::is_command(&event) {
            return;
        }
        match event.key().as_str() {
            "j" | "ArrowDown" => select(Neighbour::Older),
            "k" | "ArrowUp" => select(Neighbour::Newer),
            "Escape" if opened.with_untracked(Option::is_none) => selected.set(None),
            "Enter" if shortcuts::is_on_list(&event) => drop(selected.get_untracked().map(|seq| open.run(seq))),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}
