//! The form of a search. index.html paints the same form before the wasm is there.

use leptos::prelude::*;
use leptos::{ev, html};

use crate::components::Preview;
use crate::context;
use crate::draft::Field;

#[component]
pub fn SearchForm(on_submit: Callback<()>) -> impl IntoView {
    let draft = context::draft();
    let phrase = NodeRef::<html::Textarea>::new();
    let letters = NodeRef::<html::Input>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // The browser leads to the field that is at fault; the fault itself stands beside it.
        if draft.phrase.with(|text| Field::Phrase.fault(text).is_some()) {
            let _ = phrase.get().map(|field| field.focus());
        } else if draft.letters.with(|text| Field::Letters.fault(text).is_some()) {
            let _ = letters.get().map(|field| field.focus());
        } else {
            on_submit.run(());
        }
    };
    view! {
        <form class="search_form card" action="/" method="get" autocomplete="off" on:submit=submit>
            <LimitedField field=Field::Phrase label="Phrase" text=draft.phrase>
                <textarea id="phrase" name="phrase" rows="2" dir="auto" spellcheck="false" autocapitalize="off"
                    aria-describedby="phrase-note" node_ref=phrase prop:value=draft.phrase
                    on:input:target=move |event| draft.phrase.set(event.target().value())
                ></textarea>
            </LimitedField>
            <LimitedField field=Field::Letters label="Letters" text=draft.letters>
                <input id="letters" name="letters" type="text" dir="auto" spellcheck="false" autocapitalize="off"
                    aria-describedby="letters-note" node_ref=letters prop:value=draft.letters
                    on:input:target=move |event| draft.letters.set(event.target().value())
                />
            </LimitedField>
            <button class="button button-primary" type="submit">"Do it!"</button>
            <Preview phrase=draft.phrase letters=draft.letters />
        </form>
    }
}

/// A label, the field itself, and how near its limit the text is.
#[component]
fn LimitedField(field: Field, label: &'static str, text: RwSignal<String>, children: Children) -> impl IntoView {
    let fault = Memo::new(move |_| text.with(|text| field.fault(text)));
    let counter = Memo::new(move |_| text.with(|text| field.counter(text)));
    let note = move || fault.get().or_else(|| counter.get());
    view! {
        <div class="field" data-fault=move || fault.with(Option::is_some).then_some("")>
            <div class="field_head">
                <label for=field.name()>{label}</label>
                <span class="field_note" id=format!("{}-note", field.name()) aria-live="polite">{note}</span>
            </div>
            {children()}
        </div>
    }
}
