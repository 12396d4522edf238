//! Fields of the lab's forms.

use api::{ApiError, LabSpec};
use leptos::prelude::*;

use crate::lab::draft::NumberInput;

/// The label of a choice, and a sentence about it.
pub type Choice = (&'static str, &'static str);

/// A few options side by side, with a sentence about the chosen one.
#[component]
pub fn Choices(
    legend: &'static str,
    /// Distinguishes this group from others on the page.
    name: &'static str,
    options: Vec<Choice>,
    /// The index of the chosen option.
    #[prop(into)]
    chosen: Signal<usize>,
    #[prop(into)] on_choose: Callback<usize>,
) -> impl IntoView {
    let sentences: Vec<&str> = options.iter().map(|&(_, sentence)| sentence).collect();
    let sentence = move || sentences.get(chosen.get()).copied();
    let choice = move |(index, (word, sentence)): (usize, Choice)| {
        view! {
            <label class="choice" title=sentence>
                <input
                    type="radio"
                    name=name
                    prop:checked=move || chosen.get() == index
                    on:change=move |_| on_choose.run(index)
                />
                {word}
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div class="choice_list">{options.into_iter().enumerate().map(choice).collect_view()}</div>
            <p class="choice_about" aria-live="polite">{sentence}</p>
        </fieldset>
    }
}

/// A field for a whole number, with its unit and its error.
#[component]
pub fn NumberField(
    label: &'static str,
    input: NumberInput,
    #[prop(optional)] unit: &'static str,
    #[prop(optional)] placeholder: &'static str,
    /// The run that the form describes, or the error of a field.
    spec: Memo<Result<LabSpec, ApiError>>,
) -> impl IntoView {
    let NumberInput { name, text } = input;
    let error = move || {
        let error = spec.get().err().filter(|error| error.field.as_deref() == Some(name));
        error.map(|error| error.message)
    };
    let error = Memo::new(move |_| error());
    let id = element_id(name);
    let error_id = format!("{id}-error");
    let described_by = error_id.clone();
    let has_error = move || error.with(Option::is_some);
    view! {
        <div class="field number_field">
            <label for=id.clone()>{label}</label>
            <div class="number_box">
                <input
                    id=id
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    maxlength="7"
                    placeholder=placeholder
                    aria-invalid=move || has_error().then_some("true")
                    aria-describedby=move || has_error().then(|| described_by.clone())
                    prop:value=text
                    on:input:target=move |event| text.set(event.target().value())
                />
                <span class="number_unit" aria-hidden="true">{unit}</span>
            </div>
            <p class="field_error" id=error_id role="alert">{move || error.get()}</p>
        </div>
    }
}

/// The id of the field with this name.
pub fn element_id(name: &str) -> String {
    format!("lab-{name}")
}

/// A slider, with a sentence about what it selects.
#[component]
pub fn Slider(
    label: &'static str,
    min: &'static str,
    #[prop(into)] max: Signal<String>,
    #[prop(default = "1")] step: &'static str,
    value: Signal<String>,
    text: Signal<String>,
    on_input: Callback<Option<u64>>,
) -> impl IntoView {
    view! {
        <div class="slider_row">
            <input
                type="range"
                min=min
                max=move || max.get()
                step=step
                aria-label=label
                aria-valuetext=move || text.get()
                prop:value=move || value.get()
                on:input:target=move |event| on_input.run(event.target().value().parse().ok())
            />
            <p class="slider_text">{move || text.get()}</p>
        </div>
    }
}

/// A table to unfold; its rows are created when it is opened.
#[component]
pub fn FoldedTable(
    class: &'static str,
    summary: &'static str,
    is_open: RwSignal<bool>,
    children: ChildrenFn,
) -> impl IntoView {
    view! {
        <details class=class open=is_open.get_untracked() on:toggle:target=move |event| is_open.set(event.target().open())>
            <summary>{summary}</summary>
            <Show when=move || is_open.get()>{children()}</Show>
        </details>
    }
}

#[component]
pub fn FiguresTable(columns: &'static [&'static str], children: Children) -> impl IntoView {
    let columns = columns.iter().map(|name| view! { <th scope="col">{*name}</th> }).collect_view();
    view! {
        <table class="figures_table">
            <thead><tr>{columns}</tr></thead>
            <tbody>{children()}</tbody>
        </table>
    }
}
