//! The form of a search, with a preview of the result. index.html shows the same form before the wasm is loaded.

use api::search4letters;
use leptos::ev;
use leptos::prelude::*;

use crate::search::draft::{Draft, Field};
use crate::search::highlighted::{HighlightedPhrase, LetterChips};
use crate::ui::highlight::runs;
use crate::ui::part::part;
use crate::ui::shortcuts::focus;

#[component]
pub fn SearchForm(draft: Draft, on_submit: Callback<()>) -> impl IntoView {
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // The fault itself is shown beside the field.
        match draft.faulty_field() {
            Some(field) => drop(focus(&format!("#{}", field.name()))),
            None => on_submit.run(()),
        }
    };
    view! {
        <form class="search_form card" action="/api/search" method="post" autocomplete="off" on:submit=submit>
            <LimitedField field=Field::Phrase label="Phrase" text=draft.phrase>
                <textarea id="phrase" name="phrase" rows="2" dir="auto" translate="no" spellcheck="false" autocapitalize="off"
                    aria-describedby="phrase-note" prop:value=draft.phrase
                    on:input:target=move |event| draft.phrase.set(event.target().value())
                ></textarea>
            </LimitedField>
            <LimitedField field=Field::Letters label="Letters" text=draft.letters>
                <input id="letters" name="letters" type="text" dir="auto" translate="no" spellcheck="false" autocapitalize="off"
                    aria-describedby="letters-note" prop:value=draft.letters
                    on:input:target=move |event| draft.letters.set(event.target().value())
                />
            </LimitedField>
            <button class="button button-primary" type="submit">"Do it!"</button>
            <section class="preview" aria-label="Preview">
                {part(move || draft.phrase.with(|phrase| draft.letters.with(|letters| preview(phrase, letters))))}
            </section>
        </form>
    }
}

/// A label, the field itself, and how close its text is to the limit.
#[component]
fn LimitedField(field: Field, label: &'static str, text: RwSignal<String>, children: Children) -> impl IntoView {
    let fault = move || text.with(|text| field.fault(text));
    let note = move || fault().or_else(|| text.with(|text| field.counter(text)));
    view! {
        <div class="field" data-fault=part(move || fault().map(|_| ""))>
            <div class="field_head">
                <label for=field.name()>{label}</label>
                <span class="field_note" id=format!("{}-note", field.name()) aria-live="polite">{part(note)}</span>
            </div>
            {children()}
        </div>
    }
}

fn preview(phrase: &str, letters: &str) -> AnyView {
    if phrase.is_empty() {
        return view! { <p class="muted">"Start typing. We mark the letters as you go."</p> }.into_any();
    }
    let found = search4letters(phrase, letters);
    let runs = runs(phrase, &found);
    let found = if found.is_empty() {
        view! { <p class="muted">"None of the letters so far."</p> }.into_any()
    } else {
        view! { <LetterChips label="Letters found so far" letters=found /> }.into_any()
    };
    view! { {found}<HighlightedPhrase runs /> }.into_any()
}
