//! A field for a whole number, with its unit and what is wrong with it.

use leptos::prelude::*;

#[component]
pub fn NumberField(
    label: &'static str,
    /// The field's name in the request, by which errors name it.
    name: &'static str,
    #[prop(optional)] unit: &'static str,
    #[prop(optional)] placeholder: &'static str,
    value: RwSignal<String>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
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
                    prop:value=value
                    on:input:target=move |event| value.set(event.target().value())
                />
                <span class="number_unit" aria-hidden="true">{unit}</span>
            </div>
            <p class="field_error" id=error_id role="alert">{move || error.get()}</p>
        </div>
    }
}

/// The id of the field with this name.
pub(super) fn element_id(name: &str) -> String {
    format!("lab-{name}")
}
