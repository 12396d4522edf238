//! The form of a search. index.html paints the same form before the wasm is there.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::components::Preview;
use crate::context;
use crate::draft::Field;

#[component]
pub fn SearchForm(on_submit: Callback<()>) -> impl IntoView {
    let draft = context::draft();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // The browser leads to the field that is at fault; the fault itself stands beside it.
        match draft.faulty_field() {
            Some(field) => focus(field),
            None => on_submit.run(()),
        }
    };
    view! {
        <form class="search_form card" action="/" method="get" autocomplete="off" on:submit=submit>
            <LimitedField field=Field::Phrase label="Phrase" text=draft.phrase>
                <textarea id="phrase" name="phrase" rows="2" dir="auto" spellcheck="false" autocapitalize="off"
                    aria-describedby="phrase-note" prop:value=draft.phrase
                    on:input:target=move |event| draft.phrase.set(event.target().value())
                ></textarea>
            </LimitedField>
            <LimitedField field=Field::Letters label="Letters" text=draft.letters>
                <input id="letters" name="letters" type="text" dir="auto" spellcheck="false" autocapitalize="off"
                    aria-describedby="letters-note" prop:value=draft.letters
                    on:input:target=move |event| draft.letters.set(event.target().value())
                />
            </LimitedField>
            <button class="button button-primary" type="submit">"Do it!"</button>
            <Preview phrase=draft.phrase letters=draft.letters />
        </form>
    }
}

fn focus(field: Field) {
    let element = document().get_element_by_id(field.name());
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// A label, the field itself, and how near its limit the text is.
#[component]
fn LimitedField(field: Field, label: &'static str, text: RwSignal<String>, children: Children) -> impl IntoView {
    let fault = move || text.with(|text| field.fault(text));
    let note = move || fault().or_else(|| text.with(|text| field.counter(text)));
    view! {
        <div class="field" data-fault=move || fault().map(|_| "")>
            <div class="field_head">
                <label for=field.name()>{label}</label>
                <span class="field_note" id=format!("{}-note", field.name()) aria-live="polite">{note}</span>
            </div>
            {children()}
        </div>
    }
}
