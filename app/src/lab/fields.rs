//! Fields of the lab's forms.

use api::ApiError;
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
    // Each sentence reserves its room, so that a choice moves nothing.
    let rooms =
        sentences.iter().map(|&sentence| view! { <span class="choice_room" aria-hidden="true">{sentence}</span> });
    let rooms = rooms.collect_view();
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
            <div class="choice_about"><p aria-live="polite">{sentence}</p>{rooms}</div>
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
    /// The error of one of the form's fields.
    error: Memo<Option<ApiError>>,
) -> impl IntoView {
    let NumberInput { name, text } = input;
    let own_error = move || error.get().filter(|error| error.field.as_deref() == Some(name)).map(|error| error.message);
    let error = Memo::new(move |_| own_error());
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
