//! The toolbar above the log: filter, position, row count, export.

use api::{FilterError, FilterList, JobState, LogPosition, LogSeq, LogTime, with_absolute_times};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::log::query::{LogQuery, Reading};
use crate::log::window::Top;
use crate::log::words;
use crate::platform::sse::StreamState;
use crate::platform::{context, time, url};
use crate::ui::filter::{FilterBox, FilterErrorNote};
use crate::ui::format;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::menu::MenuButton;
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
    let error_id = Signal::derive(move || error.with(Option::is_some).then_some(ERROR_ID));
    let no_export = Memo::new(move |_| match error.with(Option::is_some) {
        true => Some(words::NO_EXPORT),
        false => is_known_empty(query).then_some(words::NOTHING_TO_EXPORT),
    });
    // With an error, the rows are those of the filter before: they are counted, and nothing says that all is well.
    let is_valid = Memo::new(move |_| error.with(Option::is_none));
    let has_rows = Memo::new(move |_| query.window.with(|window| !window.is_empty()));
    view! {
        <div class="log_toolbar">
            <FilterBox
                list=FilterList::Log label=words::FILTER hint=words::FILTER_HINT value=filter on_change=on_filter error_id
                values=Callback::new(|_| vec![])
            />
            <FilterErrorNote id=ERROR_ID text=filter error unfiltered="/viewlog" on_change=on_filter has_rows />
            <div class="log_standing" data-before=move || (!is_valid.get()).then_some("")>
                <p class="log_count">{move || count(query)}</p>
                <Show when=move || is_valid.get()><Through query /></Show>
            </div>
            <div class="log_tools">
                <GoTo position on_position />
                {move || match no_export.get() {
                    Some(why) => view! { <NoExport why /> }.into_any(),
                    None => view! { <ExportMenu filter /> }.into_any(),
                }}
            </div>
        </div>
    }
}

/// Up to which row the list is complete.
#[component]
fn Through(query: LogQuery) -> impl IntoView {
    let connection = context::connection();
    let through = Memo::new(move |_| query.through.get().filter(|&seq| seq > LogSeq(0)).map(format::row_number));
    let is_live = Memo::new(move |_| connection.get() == StreamState::Live);
    let stale = move || {
        let since = not_live_since(connection.get()).map(|since| words::stale(&since));
        through.get().map(|row| words::complete_through(&row) + &since.unwrap_or_default())
    };
    let face = move || {
        view! {
            <Icon symbol=Symbol::State(JobState::Done) />
            {words::UP_TO_DATE}
            <span class="visually_hidden">{move || through.get().map(|row| words::through(&row))}</span>
        }
        .into_any()
    };
    let is_known = Memo::new(move |_| through.with(Option::is_some));
    view! {
        <div class="log_through muted">
            <Show when=move || is_known.get()>
                <Show when=move || is_live.get() fallback=move || view! { <span>{stale}</span> }>
                    <MenuButton id="log-up-to-date" class="quiet_fact" face=face()>
                        <p class="menu_text">{words::UP_TO_DATE_WHY}</p>
                    </MenuButton>
                </Show>
            </Show>
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
    let rows = words::rows(rows);
    Some(match (is_complete, query.reading.get()) {
        (true, _) => rows,
        (false, Reading::Rows(_)) => words::loading(&rows),
        // Further rows are read when the visitor scrolls to them.
        (false, _) => words::loaded(&rows),
    })
}

/// Whether the last row was looked for, and there is none.
fn is_known_empty(query: LogQuery) -> bool {
    query.window.with(|window| window.is_empty() && window.is_complete) && query.reading.get() == Reading::Nothing
}

/// How many rows are newer than the shown ones.
pub fn newer_rows(query: LogQuery, is_at_position: bool) -> Option<String> {
    let (top, has_room, waiting, newest) = query
        .window
        .with(|window| (window.top(), window.positions().start > 0, window.waiting(), window.newest_shown()));
    match (top, has_room, newest) {
        (Top::Gap, false, Some(LogSeq(newest))) if !query.is_filtered() => {
            let newer = query.through.get().map_or(0, |LogSeq(through)| through.saturating_sub(newest));
            Some(match u64::try_from(newer) {
                Ok(newer @ 1..) if is_at_position => words::newer_rows(newer),
                Ok(newer @ 1..) => words::new_rows(newer),
                _ => words::NEWEST.to_owned(),
            })
        }
        (Top::Gap, false, _) if is_at_position => Some(words::NEWEST.to_owned()),
        _ => (waiting > 0).then(|| words::new_rows(waiting as u64)),
    }
}

/// A field that leads to a row or a time.
#[component]
fn GoTo(
    #[prop(into)] position: Signal<Option<LogPosition>>,
    /// Called with `None` to return to the newest rows.
    on_position: Callback<Option<LogPosition>>,
) -> impl IntoView {
    let hint = words::where_to_go(&time::zone_name());
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
                aria-label=words::GO_TO
                placeholder=words::GO_TO_SHORT
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

/// Stands where the export is, while there is nothing to export.
#[component]
fn NoExport(why: &'static str) -> impl IntoView {
    view! {
        <button class="button export_off" type="button" disabled title=why>
            <Icon symbol=Symbol::Download />
            {words::EXPORT}
            <span class="visually_hidden">". "{why}</span>
        </button>
    }
}

/// A menu of downloads: the rows that match the filter, or all.
#[component]
fn ExportMenu(#[prop(into)] filter: Signal<Option<String>>) -> impl IntoView {
    let address = move |format| {
        let filter = filter.get().map(|filter| with_absolute_times(&filter, FilterList::Log, &time::LocalZone));
        url::with_query("/api/admin/log/export", &[("format", Some(format)), ("q", filter.as_deref())])
    };
    let what = move || if filter.with(Option::is_some) { words::MATCHING_ROWS } else { words::ALL_ROWS };
    let entry = move |format: &'static str, name: &'static str, about: &'static str| {
        view! {
            <a class="menu_entry" href=move || address(format) download="">
                {name}" "<small class="muted">{about}</small>
            </a>
        }
    };
    let face = view! { <Icon symbol=Symbol::Download />{words::EXPORT} }.into_any();
    view! {
        <div class="export_menu">
            <MenuButton id="log-export" class="button" face>
                <p class="menu_title">{move || words::exports(what())}</p>
                {entry("csv", "CSV", words::ABOUT_CSV)}
                {entry("ndjson", "NDJSON", words::ABOUT_NDJSON)}
            </MenuButton>
        </div>
    }
}
