//! The log's filter: the field, its help and its error.

use std::time::Duration;

use api::{FilterError, FilterKey, with_absolute_times};
use leptos::ev::MouseEvent;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use crate::log::words;
use crate::platform::time;
use crate::ui::dialog::Dialog;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::{highlight, shortcuts};

/// Long enough to type the next letter, short enough to feel immediate.
const PAUSE: Duration = Duration::from_millis(250);

#[component]
pub fn FilterBox(
    label: &'static str,
    #[prop(into)] value: Signal<Option<String>>,
    /// Called with the text after a pause in the typing; with `None` once it is empty.
    on_change: Callback<Option<String>>,
    /// The id of the element that explains the text's error, if there is one.
    #[prop(into)]
    error_id: Signal<Option<&'static str>>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    Effect::new(move |_| {
        let value = value.get().unwrap_or_default();
        // The address has the same filter with absolute times: what is typed stays as it is.
        if text.with_untracked(|text| with_absolute_times(text, &time::LocalZone)) != value {
            text.set(value);
        }
    });
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop_timer = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let change_after = move |pause: Duration| {
        stop_timer();
        let change = move || on_change.run(text.try_get_untracked().filter(|text| !text.is_empty()));
        timer.set_value(set_timeout_with_handle(change, pause).ok());
    };
    on_cleanup(stop_timer);
    let clear = move |event| {
        text.set(String::new());
        change_after(Duration::ZERO);
        focus_field(event);
    };
    view! {
        <div class="filter_box" role="search">
            <Icon symbol=Symbol::Search />
            <input
                type="text"
                data-filter=""
                aria-label=label
                placeholder=words::FILTER_HINT
                aria-invalid=move || error_id.get().map(|_| "true")
                aria-describedby=move || error_id.get()
                spellcheck="false"
                autocomplete="off"
                prop:value=text
                on:input:target=move |event| {
                    text.set(event.target().value());
                    change_after(PAUSE);
                }
            />
            <div class="filter_tools">
                <Show when=move || !text.with(String::is_empty) fallback=|| view! { <kbd aria-hidden="true">"/"</kbd> }>
                    <button
                        class="button button-icon" type="button"
                        aria-label=words::CLEAR_FILTER title=words::CLEAR_FILTER on:click=clear
                    >
                        <Icon symbol=Symbol::Close />
                    </button>
                </Show>
                <FilterHelp />
            </div>
        </div>
    }
}

/// Call it when something is pressed that goes with the filter it changes: the field takes the focus instead.
pub fn focus_field(_: MouseEvent) {
    shortcuts::focus("[data-filter]");
}

/// What is wrong with the filter; the faulty characters are marked. A button corrects a misspelt field.
#[component]
pub fn FilterErrorNote(
    id: &'static str,
    #[prop(into)] text: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
    on_change: Callback<Option<String>>,
    /// Whether there are rows, which then match the filter before.
    #[prop(into)]
    has_rows: Signal<bool>,
) -> impl IntoView {
    let rows_before = move || {
        has_rows.get().then(|| {
            view! {
                <span class="muted">
                    {words::ROWS_BEFORE}" "
                    <a class="text_button" href="/viewlog" on:click=focus_field>{words::CLEAR}</a>
                </span>
            }
        })
    };
    let note = move || {
        let (error, text) = (error.get()?, text.get()?);
        let part = |start: usize, length: usize| {
            highlight::visible(&text.chars().skip(start).take(length).collect::<String>())
        };
        let (before, fault) = (part(0, error.at.start), part(error.at.start, error.at.len()));
        let after = part(error.at.end, usize::MAX);
        Some(view! {
            <code class="filter_fault">
                <span>{before}</span>
                // If something is missing, there is no character to mark, only a position.
                <mark data-missing=error.at.is_empty().then_some("")>{fault}</mark>
                <span>{after}</span>
            </code>
            {explained(&error, error.corrected(&text), on_change)}
            {rows_before}
        })
    };
    view! { <div class="filter_error" id=id role="alert">{note}</div> }
}

/// The sentences about an error. The question what was meant is the button that says yes to it.
fn explained(
    error: &FilterError,
    corrected: Option<String>,
    on_change: Callback<Option<String>>,
) -> impl IntoView + use<> {
    let question = error.meant.map(FilterKey::question);
    let parts = question.as_deref().and_then(|question| error.message.split_once(question));
    let (before, after) = parts.unwrap_or((&error.message, ""));
    let (before, after) = (before.to_owned(), after.to_owned());
    let correct = move |event| {
        on_change.run(corrected.clone());
        focus_field(event);
    };
    let button = question.map(|question| {
        view! { <button class="button button-small" type="button" on:click=correct>{question}</button> }
    });
    view! { <span>{before}{button}{after}</span> }
}

/// A button that opens the filter's syntax in a dialog.
#[component]
fn FilterHelp() -> impl IntoView {
    let is_open = RwSignal::new(false);
    let terms = words::TERMS.map(|(key, matches)| {
        view! { <div class="help_row"><dt><code>{key.example()}</code></dt><dd>{with_code(matches)}</dd></div> }
    });
    view! {
        <button
            class="button button-quiet button-small filter_syntax" type="button" aria-haspopup="dialog"
            aria-label=words::FILTER_SYNTAX on:click=move |_| is_open.set(true)
        >
            {words::SYNTAX}
        </button>
        <Dialog class="help_dialog filter_help" heading_id="filter-help-title" heading=words::FILTER_SYNTAX is_open>
            <ul class="filter_rules">
                {words::RULES.map(|rule| view! { <li>{with_code(rule)}</li> }).collect_view()}
                <li>{words::case_and_zone(&time::zone_name())}</li>
            </ul>
            <dl class="help_list">{terms.collect_view()}</dl>
        </Dialog>
    }
}

/// A text in which every second part between backticks is code.
fn with_code(text: &'static str) -> impl IntoView {
    let part = |(number, part)| match number % 2 {
        0 => IntoAny::into_any(part),
        _ => view! { <code>{part}</code> }.into_any(),
    };
    text.split('`').enumerate().map(part).collect_view()
}
