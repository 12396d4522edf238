//! What stands above the log: its filter, how many rows there are, and how live they are.

use api::LogSeq;
use leptos::prelude::*;

use crate::components::{ExportMenu, FilterBox};
use crate::log_book::LogBook;
use crate::log_feed::{LogFeed, Reading};
use crate::wording;

#[component]
pub fn LogBar(
    feed: LogFeed,
    #[prop(into)] filter: Signal<Option<String>>,
    on_filter: Callback<Option<String>>,
) -> impl IntoView {
    let count = move || {
        let (length, is_complete) = feed.book.with(|book| (book.len(), book.is_complete));
        match (is_complete, feed.reading.get()) {
            (true, _) => wording::counted(length, "row"),
            (false, Reading::Rows) => format!("{}…", wording::counted(length, "row")),
            // More are there; they are read when one scrolls to them.
            (false, _) => format!("{}+", wording::counted(length, "row")),
        }
    };
    let has_rows = move || feed.book.with(LogBook::len) > 0 || feed.reading.get() == Reading::Nothing;
    let through = move || {
        let through = feed.through.get().filter(|&seq| seq > LogSeq(0))?;
        Some(format!("complete through #{}", wording::row_number(through)))
    };
    view! {
        <div class="log_bar">
            <FilterBox label="Filter the log" value=filter on_change=on_filter />
            <p class="log_count">{move || has_rows().then(count)}</p>
            <p class="log_through muted">{through}</p>
            <ExportMenu />
        </div>
    }
}
