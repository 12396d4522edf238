//! The log as a grid that draws only the visible rows: a million rows cost as much as forty.

use std::ops::Range;
use std::sync::Arc;

use api::{LogRow, LogSeq};
use leptos::prelude::*;
use leptos::{ev, html};

use crate::log::query::LogQuery;
use crate::log::virtual_rows::VirtualRows;
use crate::log::window::Top;
use crate::platform::time;
use crate::ui::highlight;

const COLUMNS: [&str; 6] = ["Phrase", "Letters", "IP address", "Browser", "Results", "Time"];

/// After this many rows the list is rebuilt. A list, and the signals that its rows read, keep 200 bytes for every row
/// that ever existed, which adds up if rows arrive all day.
const ROWS_PER_LIST: usize = 1_000;

#[component]
pub fn LogTable(
    query: LogQuery,
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

    let length = Memo::new(move |_| query.window.with(|window| window.positions().end));
    let range = Memo::new(move |_| {
        let drawn = rows.to_draw(length.get());
        query.window.with(|window| window.within(drawn))
    });
    // The total is known only if both ends of the log are shown.
    let count = Memo::new(move |_| {
        let is_all = query.window.with(|window| window.is_complete && window.top() == Top::Live);
        if is_all { (length.get() + 1).to_string() } else { "-1".to_owned() }
    });
    let active = move || {
        let position = query.window.with(|window| selected.get().and_then(|seq| window.position_of(seq)));
        position.filter(|position| range.get().contains(position)).and_then(|_| selected.get()).map(element_id)
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
            <div class="log_body" role="presentation" translate="no" style:height=move || rows.pixels(length.get())>
                <div class="log_window" role="rowgroup" style:top=move || rows.pixels(range.get().start)>
                    <DrawnRows query range selected on_open />
                </div>
            </div>
        </div>
    }
}

#[component]
fn DrawnRows(
    query: LogQuery,
    range: Memo<Range<usize>>,
    selected: RwSignal<Option<LogSeq>>,
    on_open: Callback<LogSeq>,
) -> impl IntoView {
    let drawn = move || query.window.with(|window| window.rows(range.get()));
    let freshness = move |seq| {
        let is_fresh = query.window.with_untracked(|window| window.is_fresh(seq, time::now()));
        if is_fresh { Freshness::New } else { Freshness::Known }
    };
    let created = StoredValue::new(0);
    let list = Memo::new(move |_| {
        // Computed again whenever rows may have been created.
        query.window.track();
        range.track();
        created.get_value() / ROWS_PER_LIST
    });
    move || {
        // Read, not only tracked: a memo that is never read is never computed again.
        let _ = list.get();
        // Memos of this list, dropped with it.
        let selected = Memo::new(move |_| selected.get());
        let first = Memo::new(move |_| range.get().start);
        view! {
            <ForEnumerate each=drawn key=|row| row.seq children=move |index, row| {
                created.update_value(|created| *created += 1);
                let index = Signal::derive(move || first.get() + index.get() + 2);
                let freshness = freshness(row.seq);
                view! { <LogLine row index freshness selected on_open /> }
            } />
        }
    }
}

/// The most characters drawn of a phrase: more than any screen shows. A phrase can be fifty times as long.
const MAX_CHARACTERS: usize = 240;

#[component]
pub fn LogLine(
    row: Arc<LogRow>,
    /// The row's index in the grid, in which the header is 1.
    #[prop(into)]
    index: Signal<usize>,
    freshness: Freshness,
    #[prop(into)] selected: Signal<Option<LogSeq>>,
    on_open: Callback<LogSeq>,
) -> impl IntoView {
    let seq = row.seq;
    let browser = if row.browser_family.is_empty() { "unknown".to_owned() } else { excerpt(&row.browser_family) };
    view! {
        <div
            class="log_line"
            role="row"
            id=element_id(seq)
            aria-rowindex=move || index.get().to_string()
            aria-selected=move || (selected.get() == Some(seq)).to_string()
            data-fresh=(freshness == Freshness::New).then_some("")
            on:click=move |_| on_open.run(seq)
        >
            <span class="log_phrase" role="gridcell" dir="auto">{excerpt(&row.phrase)}</span>
            <span class="log_letters" role="gridcell" dir="auto">{excerpt(&row.letters)}</span>
            <span class="log_ip" role="gridcell">{excerpt(&row.ip)}</span>
            <span class="log_agent" role="gridcell" title=highlight::visible(&row.user_agent)>{browser}</span>
            <span class="log_results" role="gridcell">{excerpt(&row.results)}</span>
            <time class="log_time" role="gridcell" datetime=time::iso(row.searched_at)>
                {time::local(row.searched_at)}
            </time>
        </div>
    }
}

/// Whether a row has just arrived, and is highlighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    New,
    Known,
}

pub fn element_id(LogSeq(seq): LogSeq) -> String {
    format!("log-row-{seq}")
}

fn excerpt(text: &str) -> String {
    let start: String = text.chars().take(MAX_CHARACTERS).collect();
    highlight::visible(&start)
}
