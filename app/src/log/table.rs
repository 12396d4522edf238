//! The log as a grid that draws only the visible rows: a million rows cost as much as forty.

use std::ops::Range;
use std::sync::Arc;

use api::{LogRow, LogSeq, letters_of_set};
use leptos::html;
use leptos::prelude::*;

use crate::log::view::LogView;
use crate::log::window::Top;
use crate::log::words;
use crate::platform::time;
use crate::ui::{highlight, row_press};

/// After this many rows the list is rebuilt. A list, and the signals that its rows read, keep 200 bytes for every row
/// that ever existed, which adds up if rows arrive all day.
const ROWS_PER_LIST: usize = 1_000;

#[component]
pub fn LogTable(
    view: LogView,
    /// Whether the rows are those of the filter before, because the typed one has an error.
    has_error: Memo<bool>,
) -> impl IntoView {
    let LogView { query, rows, selected, .. } = view;
    let grid = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(grid) = grid.get() {
            rows.attach(&grid);
        }
    });

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
    let time_head = words::time_in(&time::zone_name());
    let time_title = time_head.clone();
    view! {
        <div
            class="log_table" role="grid" aria-label=words::HEADING tabindex="0" node_ref=grid
            aria-rowcount=move || count.get()
            aria-disabled=move || has_error.get().then_some("true")
            aria-activedescendant=active
            on:scroll=move |_| rows.scrolled()
        >
            <div class="log_head" role="rowgroup">
                <div class="log_line" role="row" aria-rowindex="1">
                    {words::COLUMNS.map(|column| view! { <span role="columnheader">{column}</span> }).collect_view()}
                    <span role="columnheader" title=time_title>{time_head}</span>
                </div>
            </div>
            <div class="log_body" role="presentation" translate="no" style:height=move || rows.pixels(length.get())>
                <div class="log_window" role="rowgroup" style:top=move || rows.pixels(range.get().start)>
                    <DrawnRows view range />
                </div>
            </div>
        </div>
    }
}

#[component]
fn DrawnRows(view: LogView, range: Memo<Range<usize>>) -> impl IntoView {
    let LogView { query, selected, .. } = view;
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
                view! { <LogLine row index freshness selected view /> }
            } />
        }
    }
}

/// The most characters drawn of a phrase: more than any screen shows. A phrase can be fifty times as long.
const MAX_CHARACTERS: usize = 240;

#[component]
fn LogLine(
    row: Arc<LogRow>,
    /// The row's index in the grid, in which the header is 1.
    #[prop(into)]
    index: Signal<usize>,
    freshness: Freshness,
    #[prop(into)] selected: Signal<Option<LogSeq>>,
    view: LogView,
) -> impl IntoView {
    let seq = row.seq;
    let browser = match row.browser_family.as_str() {
        "" => words::UNKNOWN_BROWSER.to_owned(),
        family => excerpt(family),
    };
    let (phrase, phrase_missing) = match row.phrase.as_str() {
        "" => (words::NO_PHRASE.to_owned(), Some("")),
        phrase => (excerpt(phrase), None),
    };
    let (results, results_missing) = match listed(&row.results) {
        text if text.is_empty() => (words::NOTHING_FOUND.to_owned(), Some("")),
        text => (text, None),
    };
    // One text that can be copied, in which the part that differs stands out.
    let searched_at = time::local(row.searched_at);
    let (date, clock) = searched_at.split_at(searched_at.find(' ').unwrap_or_default());
    let (date, clock) = (date.to_owned(), clock.to_owned());
    let is_opened = move || view.opened.with(|row| row.as_ref().is_some_and(|row| row.seq == seq));
    let press = move |event: leptos::ev::MouseEvent| {
        row_press::press(&event, &untrack(|| view.address_of(seq)), || view.open(seq));
    };
    view! {
        <div
            class="log_line"
            role="row"
            id=element_id(seq)
            aria-rowindex=move || index.get().to_string()
            aria-selected=move || (selected.get() == Some(seq)).to_string()
            aria-current=move || is_opened().then_some("true")
            data-fresh=(freshness == Freshness::New).then_some("")
            on:click=press
            on:auxclick=press
        >
            <span class="log_phrase" role="gridcell" dir="auto">
                // The grid has the focus, not each of its links. The pointer hits the row, which does what a link does: in
                // a link, browsers let no selection of text begin.
                <a class="log_link" href=move || view.address_of(seq) tabindex="-1" data-missing=phrase_missing>
                    {phrase}
                </a>
            </span>
            <span class="log_letters" role="gridcell" dir="auto">{excerpt(&row.letters)}</span>
            <span class="log_results" role="gridcell" data-missing=results_missing>{results}</span>
            <span class="log_agent" role="gridcell" title=highlight::visible(&row.user_agent)>{browser}</span>
            <span class="log_ip" role="gridcell">{excerpt(&row.ip)}</span>
            <time class="log_time" role="gridcell" datetime=time::iso(row.searched_at)>
                {date}
                <span class="log_clock">{clock}</span>
            </time>
        </div>
    }
}

/// The letters of a result, `a, e`; a text that is none as it is.
pub fn listed(results: &str) -> String {
    match letters_of_set(results) {
        Some(letters) => {
            let letters =
                letters.into_iter().take(MAX_CHARACTERS).map(|letter| highlight::visible(&letter.to_string()));
            letters.collect::<Vec<_>>().join(", ")
        }
        None => excerpt(results),
    }
}

/// Whether a row has just arrived, and is highlighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    New,
    Known,
}

fn element_id(LogSeq(seq): LogSeq) -> String {
    format!("log-row-{seq}")
}

fn excerpt(text: &str) -> String {
    let start: String = text.chars().take(MAX_CHARACTERS).collect();
    highlight::visible(&start)
}
