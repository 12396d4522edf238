//! A labelled field of a form, with what is wrong with it.

use leptos::prelude::*;

#[component]
pub fn TextField(
    label: &'static str,
    name: &'static str,
    /// The input's type: `text` or `password`.
    kind: &'static str,
    autocomplete: &'static str,
    value: RwSignal<String>,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let has_error = move || error.with(Option::is_some);
    let error_id = format!("{name}-error");
    let hint_id = hint.map(|_| format!("{name}-hint"));
    let described_by = {
        let (error_id, hint_id) = (error_id.clone(), hint_id.clone());
        move || if has_error() { Some(error_id.clone()) } else { hint_id.clone() }
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                autocomplete=autocomplete
                required
                aria-invalid=move || has_error().then_some("true")
                aria-describedby=described_by
                prop:value=value
                on:input:target=move |event| value.set(event.target().value())
            />
            {hint.map(|hint| view! { <p class="field_hint" id=hint_id>{hint}</p> })}
            <p class="field_error" id=error_id role="alert">{move || error.get()}</p>
        </div>
    }
}
