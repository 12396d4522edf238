//! A labelled field, with its error. A password can be shown.

use leptos::prelude::*;

use crate::account::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Password,
}

#[component]
pub fn TextField(
    label: &'static str,
    name: &'static str,
    kind: FieldKind,
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
    let is_shown = RwSignal::new(kind == FieldKind::Text);
    let toggle = (kind == FieldKind::Password).then(|| {
        view! {
            <button
                class="button button-quiet button-small password_toggle" type="button" aria-controls=name
                on:click=move |_| is_shown.update(|is_shown| *is_shown = !*is_shown)
            >
                {move || if is_shown.get() { words::HIDE } else { words::SHOW }}
                <span class="visually_hidden">{words::THE_PASSWORD}</span>
            </button>
        }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <div class="field_box">
                <input
                    id=name
                    name=name
                    type=move || if is_shown.get() { "text" } else { "password" }
                    autocomplete=autocomplete
                    autocapitalize="off"
                    spellcheck="false"
                    required
                    aria-invalid=move || has_error().then_some("true")
                    aria-describedby=described_by
                    prop:value=value
                    on:input:target=move |event| value.set(event.target().value())
                />
                {toggle}
            </div>
            {hint.map(|hint| view! { <p class="field_hint" id=hint_id>{hint}</p> })}
            <p class="field_error" id=error_id role="alert">{move || error.get()}</p>
        </div>
    }
}
