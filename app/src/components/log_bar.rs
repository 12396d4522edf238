//! What stands above the log: its filter, the way to a place in it, how many rows there are, and how live they are.

use api::{FilterError, LogPosition, LogSeq};
use leptos::prelude::*;

use crate::components::{ExportMenu, FilterBox, LogFilterError, LogFilterHelp, LogGoTo};
use crate::log_book::Top;
use crate::log_feed::{LogFeed, Reading};
use crate::wording;

/// Of the element that says what is wrong with the filter.
const ERROR_ID: &str = "log-filter-error";

#[component]
pub fn LogBar(
    feed: LogFeed,
    /// As it was typed.
    #[prop(into)]
    filter: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
    on_filter: Callback<Option<String>>,
    #[prop(into)] place: Signal<Option<LogPosition>>,
    on_place: Callback<Option<LogPosition>>,
) -> impl IntoView {
    let through = move || {
        let through = feed.through.get().filter(|&seq| seq > LogSeq(0))?;
        Some(format!("complete through #{}", wording::row_number(through)))
    };
    let error_id = Signal::derive(move || error.with(Option::is_some).then_some(ERROR_ID));
    view! {
        <div class="log_bar">
            <FilterBox label="Filter the log" value=filter on_change=on_filter error_id />
            <LogFilterHelp />
            <LogGoTo place on_place />
            <p class="log_count">{move || count(feed)}</p>
            <p class="log_through muted">{through}</p>
            <ExportMenu filter />
            <LogFilterError id=ERROR_ID text=filter error />
        </div>
    }
}

/// How many rows there are, as far as that is known.
fn count(feed: LogFeed) -> Option<String> {
    let (rows, is_complete, is_from_top) = feed.book.with(|book| {
        let positions = book.positions();
        (positions.end, book.is_complete, book.top() == Top::Live || positions.start > 0)
    });
    if !is_from_top || (rows == 0 && feed.reading.get() != Reading::Nothing) {
        return None;
    }
    let rows_counted = wording::counted(rows, "row");
    Some(match (is_complete, feed.reading.get()) {
        (true, _) => rows_counted,
        (false, Reading::Rows(_)) => format!("{rows_counted}…"),
        // More are there; they are read when one scrolls to them.
        (false, _) => format!("{rows_counted}+"),
    })
}

/// How many rows have come in while one was reading, or stand between what is shown and the newest; and the way to them.
#[must_use]
pub fn newer_rows(feed: LogFeed, is_at_place: bool) -> Option<String> {
    let (top, has_room, waiting, newest) =
        feed.book.with(|book| (book.top(), book.positions().start > 0, book.waiting(), book.newest_shown()));
    let counted = |count: u64, word: &str| format!("{} {word}", wording::number(count));
    match (top, has_room, newest) {
        (Top::Gap, false, Some(LogSeq(newest))) if !feed.is_filtered() => {
            let beyond = feed.through.get().map_or(0, |LogSeq(through)| through.saturating_sub(newest));
            let beyond = u64::try_from(beyond).ok().filter(|&beyond| beyond > 0);
            Some(beyond.map_or_else(unknown, |beyond| counted(beyond, if is_at_place { "newer" } else { "new" })))
        }
        (Top::Gap, false, _) if is_at_place => Some(unknown()),
        _ => (waiting > 0).then(|| counted(waiting as u64, "new")),
    }
}

fn unknown() -> String {
    "Newest rows".to_owned()
}
