//! `/viewlog`: the log, streaming in and then live.

use std::sync::Arc;

use api::{LogRow, LogSeq};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::{either::Either, ev};

use crate::components::{Icon, Loading, LogBar, LogDrawer, LogTable, Neighbour, Notice, PageHeading, Sign, Tone};
use crate::log_book::{Arrivals, LogBook};
use crate::log_feed::{LogFeed, Reading, fetch_row};
use crate::virtual_rows::VirtualRows;
use crate::{context, keys, moment, url, wording};

/// The next page is read when the last row drawn is this near to the last row known.
const READ_AHEAD_ROWS: usize = 200;

#[component]
pub fn ViewLogPage() -> impl IntoView {
    let navigation = context::navigation();
    let filter = navigation.parameter("q");
    let feed = LogFeed::new();
    let rows = VirtualRows::new();
    let selected = RwSignal::new(None::<LogSeq>);
    Effect::new(move |_| {
        selected.set(None);
        rows.scroll_to_top();
        feed.start(filter.get());
    });
    let show = move |q: Option<String>, row: Option<LogSeq>| {
        let row = row.map(|LogSeq(seq)| seq.to_string());
        let url = url::with_query("/viewlog", &[("q", q.as_deref()), ("row", row.as_deref())]);
        navigation.replace(&url, None);
    };
    let open = Callback::new(move |seq| {
        selected.set(Some(seq));
        show(filter.get_untracked(), Some(seq));
    });
    let close = Callback::new(move |()| show(filter.get_untracked(), None));
    let opened = opened_row(feed);
    let step = move |neighbour| {
        // A row that was opened by its address was never selected.
        let shown = opened.with_untracked(|row| row.as_ref().map(|row| row.seq));
        neighbour_of(feed, shown.or(selected.get_untracked()), neighbour)
    };
    let go = Callback::new(move |neighbour| {
        if let Some(row) = step(neighbour) {
            open.run(row.seq);
        }
    });

    read_ahead(feed, rows);
    hold_while_reading(feed, rows, selected);
    listen_to_keys(feed, rows, selected, open, go, opened);
    view! {
        <div class="page page-full">
            <PageHeading text="Log" />
            <LogBar feed filter on_filter=Callback::new(move |q| show(q, None)) />
            <div class="log_frame">
                <LogTable feed selected rows on_open=open />
                <NewRows feed rows selected />
                <LogState feed filter />
            </div>
            <LogDrawer row=opened on_move=go on_close=close />
        </div>
    }
}

/// How many rows have come in while one was reading, and the way to them.
#[component]
fn NewRows(feed: LogFeed, rows: VirtualRows, selected: RwSignal<Option<LogSeq>>) -> impl IntoView {
    let held = Memo::new(move |_| feed.book.with(LogBook::held));
    let jump = move |_| {
        selected.set(None);
        feed.book.update(|book| book.release(moment::now()));
        rows.scroll_to_top();
    };
    view! {
        <Show when=move || held.get() != 0>
            <button class="new_rows" type="button" on:click=jump>
                <Icon sign=Sign::Up />
                {move || format!("{} new", wording::number(held.get() as u64))}
            </button>
        </Show>
    }
}

/// What is shown where rows are missing: because they come, because there are none, or because
/// they could not be read.
#[component]
fn LogState(feed: LogFeed, #[prop(into)] filter: Signal<Option<String>>) -> impl IntoView {
    let is_empty = Memo::new(move |_| feed.book.with(LogBook::len) == 0);
    move || match (feed.reading.get(), is_empty.get()) {
        (Reading::Failed(error), _) => view! {
            <div class="log_state">
                <Notice tone=Tone::Error text=error.message>
                    <button class="button" type="button" on:click=move |_| feed.read_older()>"Try again"</button>
                </Notice>
            </div>
        }
        .into_any(),
        (Reading::Rows, true) => view! { <div class="log_state"><Loading /></div> }.into_any(),
        (Reading::Nothing, true) => view! {
            <div class="log_state empty_state">
                {match filter.get() {
                    Some(_) => Either::Left(view! {
                        <p>"No row contains this text."</p>
                        <a class="button" href="/viewlog">"Show all rows"</a>
                    }),
                    None => Either::Right(view! {
                        <p>"Nothing has been searched yet. Rows appear here as soon as they are written."</p>
                        <a class="button" href="/">"Make the first search"</a>
                    }),
                }}
            </div>
        }
        .into_any(),
        _ => ().into_any(),
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
        let known = feed.book.with_untracked(|book| book.index_of(seq).and_then(|index| book.get(index)));
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

fn neighbour_of(feed: LogFeed, from: Option<LogSeq>, neighbour: Neighbour) -> Option<Arc<LogRow>> {
    feed.book.with_untracked(|book| {
        let index = match (from.and_then(|seq| book.index_of(seq)), neighbour) {
            (Some(index), Neighbour::Older) => index + 1,
            (Some(index), Neighbour::Newer) => index.checked_sub(1)?,
            (None, _) => 0,
        };
        book.get(index)
    })
}

fn read_ahead(feed: LogFeed, rows: VirtualRows) {
    Effect::new(move |_| {
        let length = feed.book.with(LogBook::len);
        let is_near = rows.in_sight(length).end + READ_AHEAD_ROWS >= length;
        // The first page is read by the start; a failed one waits for its button.
        if length > 0 && is_near && feed.reading.get() == Reading::Nothing {
            feed.read_older();
        }
    });
}

/// Nothing moves while someone reads: further down, or with a row selected.
fn hold_while_reading(feed: LogFeed, rows: VirtualRows, selected: RwSignal<Option<LogSeq>>) {
    let is_reading = Memo::new(move |_| !rows.is_at_top() || selected.get().is_some());
    Effect::new(move |_| {
        feed.arrivals.set(if is_reading.get() { Arrivals::Hold } else { Arrivals::Show });
        if !is_reading.get() && feed.book.with_untracked(|book| book.held() > 0) {
            feed.book.update(|book| book.release(moment::now()));
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
        } else if let Some(row) = neighbour_of(feed, selected.get_untracked(), neighbour) {
            selected.set(Some(row.seq));
        }
        let index = feed.book.with_untracked(|book| selected.get_untracked().and_then(|seq| book.index_of(seq)));
        let _ = index.map(|index| rows.reveal(index));
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
