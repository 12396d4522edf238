//! The filter of a list: the field with its completion, its help and its error.

mod completion;
mod words;

use std::time::Duration;

use api::{FilterError, FilterKey, FilterList, Meant, meant_filter, with_absolute_times};
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use crate::platform::{time, url};
use crate::ui::code::with_code;
use crate::ui::dialog::Dialog;
use crate::ui::filter::completion::{Asked, Completion, complete};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::{highlight, shortcuts};

/// Long enough to type the next letter, short enough to feel immediate.
const PAUSE: Duration = Duration::from_millis(250);
/// The id of the list of choices.
const CHOICES_ID: &str = "filter-choices";

#[component]
pub fn FilterBox(
    list: FilterList,
    label: &'static str,
    /// Examples, where the field is empty.
    hint: &'static str,
    #[prop(into)] value: Signal<Option<String>>,
    /// Called with the text after a pause in the typing; with `None` once it is empty.
    on_change: Callback<Option<String>>,
    /// The id of the element that explains the text's error, if there is one.
    #[prop(into)]
    error_id: Signal<Option<&'static str>>,
    /// The values that are known for a field.
    values: Callback<FilterKey, Vec<String>>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    Effect::new(move |_| {
        let value = value.get().unwrap_or_default();
        // The address has the same filter with absolute times: what is typed stays as it is.
        if text.with_untracked(|text| with_absolute_times(text, list, &time::LocalZone)) != value {
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
        let change = move || on_change.run(text.try_get_untracked().filter(|text| !text.trim().is_empty()));
        timer.set_value(set_timeout_with_handle(change, pause).ok());
    };
    on_cleanup(stop_timer);
    let input = NodeRef::<html::Input>::new();
    let choices = Choices { open: RwSignal::new(None), active: RwSignal::new(None) };
    let offer = move |asked| choices.offer(input, list, asked, values);
    let accept = move |index: usize| {
        if let Some((completed, caret)) = choices.accept(index, &text.get_untracked())
            && let Some(input) = input.get_untracked()
        {
            input.set_value(&completed);
            // Browsers count in UTF-16.
            let caret = completed.chars().take(caret).map(char::len_utf16).sum::<usize>();
            let caret = u32::try_from(caret).unwrap_or(u32::MAX);
            let _ = input.set_selection_range(caret, caret);
            text.set(completed);
            offer(Asked::Typing);
            change_after(PAUSE);
        }
    };
    let clear = move |event| {
        text.set(String::new());
        choices.close();
        change_after(Duration::ZERO);
        focus_field(event);
    };
    let press = move |event: KeyboardEvent| {
        if shortcuts::is_of_input_method(&event) {
            return;
        }
        let is_open = choices.open.with_untracked(Option::is_some);
        match (event.key().as_str(), choices.active.get_untracked()) {
            ("ArrowDown", _) if is_open => choices.step(Step::Down),
            ("ArrowDown", _) => offer(Asked::Outright),
            ("ArrowUp", _) if is_open => choices.step(Step::Up),
            ("Enter" | "Tab", Some(index)) if is_open => accept(index),
            ("Escape", _) if is_open => choices.close(),
            ("Enter", None) => {
                choices.close();
                change_after(Duration::ZERO);
            }
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <div class="filter_box" role="search">
            <Icon symbol=Symbol::Search />
            <input
                type="text"
                node_ref=input
                data-filter=""
                role="combobox"
                aria-label=label
                aria-autocomplete="list"
                aria-expanded=move || choices.open.with(Option::is_some).to_string()
                aria-controls=CHOICES_ID
                aria-activedescendant=move || choices.active.get().map(choice_id)
                placeholder=hint
                aria-invalid=move || error_id.get().map(|_| "true")
                aria-describedby=move || error_id.get()
                spellcheck="false"
                autocomplete="off"
                prop:value=text
                on:input:target=move |event| {
                    text.set(event.target().value());
                    offer(Asked::Typing);
                    change_after(PAUSE);
                }
                on:keydown=press
                on:blur=move |_| choices.close()
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
                <FilterHelp list />
            </div>
            <ChoiceList choices on_choice=Callback::new(accept) />
        </div>
    }
}

/// The suggestions below the field.
#[derive(Clone, Copy)]
struct Choices {
    open: RwSignal<Option<Completion>>,
    /// The one that Enter takes.
    active: RwSignal<Option<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Down,
    Up,
}

impl Choices {
    fn offer(
        self,
        input: NodeRef<html::Input>,
        list: FilterList,
        asked: Asked,
        values: Callback<FilterKey, Vec<String>>,
    ) {
        let Some(input) = input.get_untracked() else { return };
        let text = input.value();
        let caret = input.selection_end().ok().flatten().and_then(|caret| usize::try_from(caret).ok());
        let units: Vec<u16> = text.encode_utf16().take(caret.unwrap_or(usize::MAX)).collect();
        let caret = String::from_utf16_lossy(&units).chars().count();
        self.open.set(complete(&text, caret, list, asked, |key| values.run(key)));
        self.active.set(None);
    }

    fn step(self, step: Step) {
        let count = self.open.with_untracked(|open| open.as_ref().map_or(0, |open| open.choices.len()));
        self.active.update(|active| {
            *active = match (step, *active) {
                _ if count == 0 => None,
                (Step::Down, None) => Some(0),
                (Step::Down, Some(index)) => Some((index + 1) % count),
                (Step::Up, None | Some(0)) => Some(count - 1),
                (Step::Up, Some(index)) => Some(index - 1),
            };
        });
        if let Some(index) = self.active.get_untracked() {
            shortcuts::reveal(&format!("#{}", choice_id(index)));
        }
    }

    fn accept(self, index: usize, text: &str) -> Option<(String, usize)> {
        self.open.with_untracked(|open| {
            let open = open.as_ref()?;
            Some(open.accept(text, open.choices.get(index)?))
        })
    }

    fn close(self) {
        self.open.set(None);
        self.active.set(None);
    }
}

fn choice_id(index: usize) -> String {
    format!("filter-choice-{index}")
}

#[component]
fn ChoiceList(choices: Choices, on_choice: Callback<usize>) -> impl IntoView {
    let option = move |(index, choice): (usize, completion::Choice)| {
        view! {
            <li
                class="filter_choice" role="option" id=choice_id(index)
                aria-selected=move || (choices.active.get() == Some(index)).to_string()
                // The field keeps the focus.
                on:mousedown=|event| event.prevent_default()
                on:click=move |_| on_choice.run(index)
            >
                <code translate="no">{highlight::visible(choice.text.trim_end())}</code>
                <span class="muted">{with_code(choice.about)}</span>
            </li>
        }
    };
    view! {
        <ul
            class="filter_choices" id=CHOICES_ID role="listbox" aria-label=words::CHOICES
            hidden=move || choices.open.with(Option::is_none)
        >
            {move || choices.open.get().map(|open| open.choices.into_iter().enumerate().map(option).collect_view())}
        </ul>
    }
}

/// Call it when something is pressed that goes with the filter it changes: the field takes the focus instead.
pub fn focus_field(_: MouseEvent) {
    shortcuts::focus("[data-filter]");
}

/// What a filter that matches nothing may mean, as a link to the list at `path` with that filter.
pub fn meant(filter: &str, list: FilterList, path: &str) -> Option<impl IntoView + use<>> {
    let meant = meant_filter(filter, list)?;
    let absolute = with_absolute_times(&meant, list, &time::LocalZone);
    let address = url::with_query(path, &[("q", Some(absolute.as_str()))]);
    Some(view! {
        <p>
            {words::DID_YOU_MEAN}
            <a class="button" href=address on:click=focus_field>{highlight::visible(&meant)}</a>
            " ?"
        </p>
    })
}

/// What is wrong with the filter; the faulty characters are marked. A button corrects a misspelt field.
#[component]
pub fn FilterErrorNote(
    id: &'static str,
    #[prop(into)] text: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
    /// The address of the list without a filter.
    unfiltered: &'static str,
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
                    <a class="text_button" href=unfiltered on:click=focus_field>{words::CLEAR}</a>
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
    let question = error.meant.as_ref().map(Meant::question);
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
fn FilterHelp(list: FilterList) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let term = move |key: &FilterKey| {
        let about = with_code(words::about(*key, list));
        view! { <div class="help_row"><dt><code>{key.example()}</code></dt><dd>{about}</dd></div> }
    };
    let terms = list.keys().iter().map(term);
    view! {
        <button
            class="button button-quiet button-small filter_syntax" type="button" aria-haspopup="dialog"
            aria-label=words::FILTER_SYNTAX on:click=move |_| is_open.set(true)
        >
            {words::SYNTAX}
        </button>
        <Dialog class="help_dialog filter_help" heading_id="filter-help-title" heading=words::FILTER_SYNTAX is_open>
            <ul class="filter_rules">
                {words::rules(list).map(|rule| view! { <li>{with_code(rule)}</li> }).collect_view()}
                <li>{words::case_and_zone(&time::zone_name())}</li>
            </ul>
            <dl class="help_list">{terms.collect_view()}</dl>
        </Dialog>
    }
}
