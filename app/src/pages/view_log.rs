//! `/viewlog`: the log, streaming in and then live.

use std::sync::Arc;

use api::{LogFilter, LogPosition, LogRow, LogSeq};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{
    Icon, LogBar, LogDrawer, LogProgress, LogState, LogTable, Neighbour, PageHeading, Sign, newer_rows,
};
use crate::log_book::{Arrivals, LogBook, Top};
use crate::log_feed::{LogFeed, Question, Reading, Way, fetch_row};
use crate::virtual_rows::VirtualRows;
use crate::{context, keys, moment, url};

/// The next page is read when the last row drawn is this near to the last row known.
const READ_AHEAD_ROWS: usize = 200;
/// The same where rows must be looked for: a screenful will do until somebody scrolls.
const LOOK_AHEAD_ROWS: usize = 20;

#[component]
pub fn ViewLogPage() -> impl IntoView {
    let navigation = context::navigation();
    let typed = navigation.parameter("q");
    let filter = Memo::new(move |_| typed.with(|typed| typed.as_deref().unwrap_or_default().parse::<LogFilter>()));
    let error = Memo::new(move |_| filter.get().err());
    let at = navigation.parameter("at");
    let place = Memo::new(move |_| at.with(|at| at.as_deref()?.parse::<LogPosition>().ok()));
    let feed = LogFeed::new();
    let rows = VirtualRows::new();
    feed.when_moved(Callback::new(move |shift| rows.shift(shift)));
    let selected = RwSignal::new(None::<LogSeq>);
    Effect::new(move |_| {
        // With a filter that cannot be read, which may only be unfinished, the rows of the one before stay.
        if let (Ok(filter), place) = (filter.get(), place.get()) {
            selected.set(None);
            rows.scroll_to_top();
            feed.start(Question { filter, place });
        }
    });
    let address = move |q: Option<String>, place: Option<LogPosition>, row: Option<LogSeq>| {
        let row = row.map(|LogSeq(seq)| seq.to_string());
        let place = place.map(|place| place.to_string());
        url::with_query("/viewlog", &[("q", q.as_deref()), ("at", place.as_deref()), ("row", row.as_deref())])
    };
    let show = move |q, row| navigation.replace(&address(q, place.get_untracked(), row), None);
    let go_to = Callback::new(move |place| navigation.go(&address(typed.get_untracked(), place, None)));
    let open = Callback::new(move |seq| {
        selected.set(Some(seq));
        show(typed.get_untracked(), Some(seq));
    });
    let close = Callback::new(move |()| show(typed.get_untracked(), None));
    let opened = opened_row(feed);
    let step = move |neighbour| {
        // A row that was opened by its address was never selected.
        let shown = opened.with_untracked(|row| row.as_ref().map(|row| row.seq));
        neighbour_of(feed, rows, shown.or(selected.get_untracked()), neighbour)
    };
    let go = Callback::new(move |neighbour| {
        if let Some(row) = step(neighbour) {
            open.run(row.seq);
        }
    });
    let go_to_newest = Callback::new(move |()| {
        selected.set(None);
        rows.scroll_to_top();
        if place.get_untracked().is_some() {
            go_to.run(None);
        } else {
            show_newest(feed);
        }
    });

    read_ahead(feed, rows);
    hold_while_reading(feed, rows, selected, place);
    point_out(feed, place, selected);
    listen_to_keys(feed, rows, selected, open, go, opened);
    view! {
        <div class="page page-full">
            <PageHeading text="Log" />
            <LogBar feed filter=typed error on_filter=Callback::new(move |q| show(q, None)) place on_place=go_to />
            <div class="log_frame">
                <LogTable feed selected rows on_open=open />
                <NewerRows feed place on_press=go_to_newest />
                <LogState feed error />
                <LogProgress feed />
            </div>
            <LogDrawer row=opened on_move=go on_close=close />
        </div>
    }
}

/// How many rows are above those that are shown, and the way to them.
#[component]
fn NewerRows(feed: LogFeed, place: Memo<Option<LogPosition>>, on_press: Callback<()>) -> impl IntoView {
    let text = Memo::new(move |_| newer_rows(feed, place.with(Option::is_some)));
    let is_shown = Memo::new(move |_| text.with(Option::is_some));
    view! {
        <Show when=move || is_shown.get()>
            <button class="new_rows" type="button" on:click=move |_| on_press.run(())>
                <Icon sign=Sign::Up />
                {move || text.get()}
            </button>
        </Show>
    }
}

/// Shows the rows that have come in meanwhile; reads them, where they are not held.
fn show_newest(feed: LogFeed) {
    match feed.book.with_untracked(LogBook::top) {
        Top::Live => feed.book.update(|book| book.release(moment::now())),
        Top::Gap => feed.start_again(),
    }
}

/// The row that the address names: from the book, or asked for where it is not in there.
fn opened_row(feed: LogFeed) -> RwSignal<Option<Arc<LogRow>>> {
    let named = context::navigation().parameter("row");
    let opened = RwSignal::new(None::<Arc<LogRow>>);
    Effect::new(move |_| {
        let Some(seq) = named.get().and_then(|row| row.parse().ok()).map(LogSeq) else {
            opened.set(None);
            return;
        };
        let known = feed.book.with_untracked(|book| book.position_of(seq).and_then(|position| book.get(position)));
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

fn neighbour_of(feed: LogFeed, rows: VirtualRows, from: Option<LogSeq>, neighbour: Neighbour) -> Option<Arc<LogRow>> {
    feed.book.with_untracked(|book| {
        let position = match (from.and_then(|seq| book.position_of(seq)), neighbour) {
            (Some(position), Neighbour::Older) => position + 1,
            (Some(position), Neighbour::Newer) => position.checked_sub(1)?,
            (None, _) => book.within(rows.first_in_sight()..usize::MAX).start,
        };
        book.get(position)
    })
}

fn read_ahead(feed: LogFeed, rows: VirtualRows) {
    Effect::new(move |_| {
        // A failed page waits for its button, and so does a look that was stopped.
        if feed.reading.get() != Reading::Nothing {
            return;
        }
        let (shown, top, is_complete) = feed.book.with(|book| (book.positions(), book.top(), book.is_complete));
        let in_sight = rows.in_sight(shown.end);
        let ahead = if feed.is_filtered() { LOOK_AHEAD_ROWS } else { READ_AHEAD_ROWS };
        if !is_complete && in_sight.end + ahead >= shown.end {
            feed.read(Way::Older);
        } else if top == Top::Gap && in_sight.start < shown.start + ahead {
            feed.read(Way::Newer);
        }
    });
}

/// Nothing moves while someone reads: further down, or with a row selected.
fn hold_while_reading(
    feed: LogFeed,
    rows: VirtualRows,
    selected: RwSignal<Option<LogSeq>>,
    place: Memo<Option<LogPosition>>,
) {
    let is_reading = Memo::new(move |_| !rows.is_at_top() || selected.get().is_some());
    Effect::new(move |_| {
        feed.arrivals.set(if is_reading.get() { Arrivals::Hold } else { Arrivals::Show });
        let is_behind = feed.book.with_untracked(|book| book.waiting() > 0 || book.positions().start > 0);
        if !is_reading.get() && is_behind && place.with_untracked(Option::is_none) {
            show_newest(feed);
        }
    });
}

/// Selects the row that somebody went to.
fn point_out(feed: LogFeed, place: Memo<Option<LogPosition>>, selected: RwSignal<Option<LogSeq>>) {
    let is_empty = Memo::new(move |_| feed.book.with(LogBook::is_empty));
    Effect::new(move |_| {
        if !is_empty.get() && place.with_untracked(Option::is_some) {
            selected.set(feed.book.with_untracked(LogBook::newest_shown));
        }
    });
}

fn listen_to_keys(
    feed: LogFeed,
    rows: VirtualRows,
    selected: RwSignal<Option<LogSeq>>,
    open: Callback<LogSeq>,
    go: Callback<Neighbour>,
    opened: RwSignal<Option<Arc<LogRow>>>,
) {
    let select = move |neighbour| {
        if opened.with_untracked(Option::is_some) {
            go.run(neighbour);
        } else if let Some(row) = neighbour_of(feed, rows, selected.get_untracked(), neighbour) {
            selected.set(Some(row.seq));
        }
        let position = feed.book.with_untracked(|book| selected.get_untracked().and_then(|seq| book.position_of(seq)));
        let _ = position.map(|position| rows.reveal(position));
    };
    let listener = window_event_listener(ev::keydown, move |event| {
        if !keys::is_command(&event) {
            return;
        }
        match event.key().as_str() {
            "j" | "ArrowDown" => select(Neighbour::Older),
            "k" | "ArrowUp" => select(Neighbour::Newer),
            "Escape" if opened.with_untracked(Option::is_none) => selected.set(None),
            "Enter" if keys::is_on_list(&event) => drop(selected.get_untracked().map(|seq| open.run(seq))),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}
