//! The toolbar above the log: filter, position, row count, export.

use api::{FilterError, LogPosition, LogSeq, LogTime, with_absolute_times};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::log::filter::{FilterBox, FilterErrorNote, FilterHelp};
use crate::log::query::{LogQuery, Reading};
use crate::log::window::Top;
use crate::platform::sse::StreamState;
use crate::platform::{context, time, url};
use crate::ui::format;
use crate::ui::shell::not_live_since;

/// The id of the element that explains the filter's error.
const ERROR_ID: &str = "log-filter-error";

#[component]
pub fn LogToolbar(
    query: LogQuery,
    /// As typed.
    #[prop(into)]
    filter: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
    on_filter: Callback<Option<String>>,
    #[prop(into)] position: Signal<Option<LogPosition>>,
    on_position: Callback<Option<LogPosition>>,
) -> impl IntoView {
    let connection = context::connection();
    let through = move || {
        let through = format::row_number(query.through.get().filter(|&seq| seq > LogSeq(0))?);
        Some(match connection.get() {
            StreamState::Live => view! {
                "Up to date"<span class="visually_hidden">{format!(", through row {through}")}</span>
            }
            .into_any(),
            state => {
                let since = not_live_since(state).map(|since| format!(" · {since}"));
                format!("Complete through row {through}{}", since.unwrap_or_default()).into_any()
            }
        })
    };
    let error_id = Signal::derive(move || error.with(Option::is_some).then_some(ERROR_ID));
    view! {
        <div class="log_toolbar">
            <FilterBox label="Filter the log" value=filter on_change=on_filter error_id />
            <FilterHelp />
            <GoTo position on_position />
            // With an error, the rows are those of the filter before.
            <p class="log_count">{move || error.with(Option::is_none).then(|| count(query))}</p>
            <p class="log_through muted">{through}</p>
            <Show when=move || error.with(Option::is_none)><ExportMenu filter /></Show>
            <FilterErrorNote id=ERROR_ID text=filter error />
        </div>
    }
}

/// How many rows there are, if that is known, or else how many were loaded.
fn count(query: LogQuery) -> Option<String> {
    let (rows, is_complete, is_from_top) = query.window.with(|window| {
        let positions = window.positions();
        (positions.end, window.is_complete, window.top() == Top::Live || positions.start > 0)
    });
    if !is_from_top || (rows == 0 && query.reading.get() != Reading::Nothing) {
        return None;
    }
    let rows = format::counted(rows, "row");
    Some(match (is_complete, query.reading.get()) {
        (true, _) => rows,
        (false, Reading::Rows(_)) => format!("{rows} loaded…"),
        // Further rows are read when the visitor scrolls to them.
        (false, _) => format!("{rows} loaded"),
    })
}

/// How many rows are newer than the shown ones.
pub fn newer_rows(query: LogQuery, is_at_position: bool) -> Option<String> {
    const UNKNOWN: &str = "Newest rows";
    let (top, has_room, waiting, newest) = query
        .window
        .with(|window| (window.top(), window.positions().start > 0, window.waiting(), window.newest_shown()));
    let counted = |count: u64, label: &str| format!("{} {label}", format::number(count));
    match (top, has_room, newest) {
        (Top::Gap, false, Some(LogSeq(newest))) if !query.is_filtered() => {
            let newer = query.through.get().map_or(0, |LogSeq(through)| through.saturating_sub(newest));
            Some(match u64::try_from(newer) {
                Ok(1..) => counted(newer.unsigned_abs(), if is_at_position { "newer" } else { "new" }),
                _ => UNKNOWN.to_owned(),
            })
        }
        (Top::Gap, false, _) if is_at_position => Some(UNKNOWN.to_owned()),
        _ => (waiting > 0).then(|| counted(waiting as u64, "new")),
    }
}

/// A field that leads to a row or a time.
#[component]
fn GoTo(
    #[prop(into)] position: Signal<Option<LogPosition>>,
    /// Called with `None` to return to the newest rows.
    on_position: Callback<Option<LogPosition>>,
) -> impl IntoView {
    let hint =
        format!("A row's number (48211), a time in {} (2026-11-22 08:05) or how long ago (2h)", time::zone_name());
    let wrong = format!("{hint}.");
    let text = RwSignal::new(String::new());
    let is_wrong = RwSignal::new(false);
    Effect::new(move |_| {
        text.set(position.get().map(to_text).unwrap_or_default());
        is_wrong.set(false);
    });
    let go = move |event: SubmitEvent| {
        event.prevent_default();
        let text = text.get_untracked();
        match LogPosition::parse(&text, &time::LocalZone) {
            _ if text.trim().is_empty() => on_position.run(None),
            Ok(position) => on_position.run(Some(position)),
            Err(_) => is_wrong.set(true),
        }
    };
    view! {
        <form class="log_go" on:submit=go>
            <input
                type="text"
                data-go=""
                aria-label="Go to a row or a time"
                placeholder="Go to row or time"
                title=hint
                spellcheck="false"
                autocomplete="off"
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby=move || is_wrong.get().then_some("log-go-error")
                prop:value=text
                on:input:target=move |event| {
                    text.set(event.target().value());
                    is_wrong.set(false);
                }
            />
            <p class="log_go_error" id="log-go-error" role="alert">
                {move || is_wrong.get().then(|| wrong.clone())}
            </p>
        </form>
    }
}

fn to_text(position: LogPosition) -> String {
    match position {
        LogPosition::Time(LogTime::At(time)) => time::local(time),
        position => position.to_string(),
    }
}

/// Links that download the log: the rows that match the filter, or all.
#[component]
fn ExportMenu(#[prop(into)] filter: Signal<Option<String>>) -> impl IntoView {
    let address = move |format| {
        let filter = filter.get().map(|filter| with_absolute_times(&filter, &time::LocalZone));
        url::with_query("/api/admin/log/export", &[("format", Some(format)), ("q", filter.as_deref())])
    };
    let what = move || if filter.with(Option::is_some) { "matching rows" } else { "all rows" };
    view! {
        <div class="export_menu" role="group" aria-label="Export">
            <span class="muted">{move || format!("Export {}", what())}</span>
            <a href=move || address("csv") download="" aria-label=move || format!("CSV of {}", what())>"CSV"</a>
            <a href=move || address("ndjson") download="" aria-label=move || format!("NDJSON of {}", what())>"NDJSON"</a>
        </div>
    }
}
