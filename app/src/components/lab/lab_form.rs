//! What all forms of the lab share: they say how long a run takes, and start it.

use api::{ApiError, LabSpec};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::number_field;
use crate::components::{Notice, Tone};
use crate::lab::commands::LabCommands;
use crate::lab::words;
use crate::wording::number;

#[component]
pub fn LabForm(
    /// What the form asks for, or which field is at fault.
    spec: Memo<Result<LabSpec, ApiError>>,
    commands: LabCommands,
    /// The same work in all styles, where there are several.
    #[prop(optional)]
    compared: Option<Memo<Result<Vec<LabSpec>, ApiError>>>,
    children: Children,
) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        match spec.get_untracked() {
            Ok(spec) => commands.start(vec![spec]),
            Err(error) => focus(&error),
        }
    };
    let is_ready = move || !commands.is_sending.get() && spec.with(Result::is_ok);
    view! {
        <form class="form lab_form" novalidate on:submit=submit>
            {children()}
            {move || commands.error.get().map(|error| {
                let title = words::refusal(error.code).unwrap_or("Not started");
                view! { <Notice tone=Tone::Error title text=error.message /> }
            })}
            <div class="start_row">
                <button
                    class="button button-primary"
                    type="submit"
                    aria-disabled=move || (!is_ready()).then_some("true")
                >
                    "Start"
                </button>
                {compared.map(|compared| view! { <CompareButton compared commands /> })}
                <p class="muted start_estimate" aria-live="polite">
                    {move || following(commands.ahead.get()).unwrap_or_else(|| estimate(&spec.get()))}
                </p>
            </div>
        </form>
    }
}

#[component]
fn CompareButton(compared: Memo<Result<Vec<LabSpec>, ApiError>>, commands: LabCommands) -> impl IntoView {
    let compare = move |_| {
        if let Ok(specs) = compared.get_untracked() {
            commands.start(specs);
        }
    };
    let is_refused = move || compared.with(Result::is_err);
    let title = move || {
        if is_refused() {
            "This work cannot be compared: in one of the styles it would take too long."
        } else {
            "The same work in sequence, on threads and async, one after the other"
        }
    };
    view! {
        <button
            class="button compare_button"
            type="button"
            title=title
            aria-disabled=move || is_refused().then_some("true")
            on:click=compare
        >
            "Compare all styles"
        </button>
    }
}

/// What stands at a field of the form.
pub(super) fn at(spec: Memo<Result<LabSpec, ApiError>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || {
        let error = spec.get().err().filter(|error| error.field.as_deref() == Some(field));
        error.map(|error| error.message)
    })
}

fn estimate(spec: &Result<LabSpec, ApiError>) -> String {
    spec.as_ref().map_or_else(|_| "One field needs to be changed first.".to_owned(), words::estimate)
}

fn following(ahead: usize) -> Option<String> {
    match ahead {
        0 => None,
        1 => Some("One more run follows this one.".to_owned()),
        ahead => Some(format!("{} more runs follow this one.", number(ahead as u64))),
    }
}

/// Leads to the field that is at fault; the fault itself stands beside it.
fn focus(error: &ApiError) {
    let Some(field) = &error.field else { return };
    let field = document().get_element_by_id(&number_field::element_id(field));
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        let _ = field.focus();
    }
}
