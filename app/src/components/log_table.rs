//! The log as a grid that draws only the rows in sight, so that a million cost what forty do.

use api::LogSeq;
use leptos::prelude::*;
use leptos::{ev, html};

use crate::components::{Freshness, LogLine, element_id};
use crate::log_book::Top;
use crate::log_feed::LogFeed;
use crate::moment;
use crate::virtual_rows::VirtualRows;

/// The headers of the original.
const COLUMNS: [&str; 6] = ["Phrase", "Letters", "Remote_addr", "User_agent", "Results", "Time"];

/// So many rows are made before the list is made anew. A list and the signals that its rows have read keep something of
/// each row that ever was, as long as they are there: 200 bytes, which adds up where rows come all day.
const ROWS_OF_A_LIST: usize = 1_000;

#[component]
pub fn LogTable(
    feed: LogFeed,
    selected: RwSignal<Option<LogSeq>>,
    rows: VirtualRows,
    on_open: Callback<LogSeq>,
) -> impl IntoView {
    let grid = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(grid) = grid.get() {
            rows.attach(&grid);
        }
    });
    let resized = window_event_listener(ev::resize, move |_| rows.measure());
    on_cleanup(move || resized.remove());

    let length = Memo::new(move |_| feed.book.with(|book| book.positions().end));
    let range = Memo::new(move |_| {
        let in_sight = rows.in_sight(length.get());
        feed.book.with(|book| book.within(in_sight))
    });
    // How many rows there are in all is known only where both ends are.
    let count = Memo::new(move |_| {
        let is_all = feed.book.with(|book| book.is_complete && book.top() == Top::Live);
        if is_all { (length.get() + 1).to_string() } else { "-1".to_owned() }
    });
    let drawn = move || feed.book.with(|book| book.rows(range.get()));
    let active = move || {
        let position = feed.book.with(|book| selected.get().and_then(|seq| book.position_of(seq)));
        position.filter(|position| range.get().contains(position)).and_then(|_| selected.get()).map(element_id)
    };
    let freshness = move |seq| {
        let is_fresh = feed.book.with_untracked(|book| book.is_fresh(seq, moment::now()));
        if is_fresh { Freshness::JustCame } else { Freshness::Known }
    };
    let made = StoredValue::new(0);
    let list = Memo::new(move |_| {
        // Asked again whenever rows may have been made.
        feed.book.track();
        range.track();
        made.get_value() / ROWS_OF_A_LIST
    });
    let lines = move || {
        // Read and not only tracked: a memo that nobody reads never learns of a change.
        let _ = list.get();
        // Its own, and gone with it.
        let selected = Memo::new(move |_| selected.get());
        let first = Memo::new(move |_| range.get().start);
        view! {
            <ForEnumerate each=drawn key=|row| row.seq children=move |index, row| {
                made.update_value(|made| *made += 1);
                let place = Signal::derive(move || first.get() + index.get() + 2);
                let is_fresh = freshness(row.seq);
                view! { <LogLine row place is_fresh selected on_open /> }
            } />
        }
    };
    view! {
        <div
            class="log_table" role="grid" aria-label="Log" tabindex="0" node_ref=grid
            aria-rowcount=move || count.get()
            aria-activedescendant=active
            on:scroll=move |_| rows.scrolled()
        >
            <div class="log_head" role="rowgroup">
                <div class="log_line" role="row" aria-rowindex="1">
                    {COLUMNS.map(|column| view! { <span role="columnheader">{column}</span> }).collect_view()}
                </div>
            </div>
            <div class="log_body" role="presentation" style:height=move || rows.pixels(length.get())>
                <div class="log_window" role="rowgroup" style:top=move || rows.pixels(range.get().start)>
                    {lines}
                </div>
            </div>
        </div>
    }
}
