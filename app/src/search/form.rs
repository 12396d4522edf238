//! The form of a search, which marks the letters while one types. index.html shows the same form before the wasm is
//! loaded.

use leptos::ev;
use leptos::prelude::*;

use crate::search::draft::{Draft, Field};
use crate::search::marked::{LetterTiles, PhraseMarks, verdict};
use crate::search::words;
use crate::ui::part::{part, text_part};
use crate::ui::shortcuts::focus;

/// A phrase and its letters.
const EXAMPLES: [(&str, &str); 4] =
    [("rhythm", "aeiou"), ("안녕하세요 세계", "안세요"), ("Съешь же ещё", "аеёиоу"), ("🎉🍕 party", "🎉🍕🎈")];

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
    let Draft { phrase, letters } = draft;
    let found = RwSignal::new(String::new());
    let so_far = move || {
        let found = found.with(|found| found.chars().count());
        match phrase.with_untracked(String::is_empty) {
            true => words::START_TYPING.to_owned(),
            false => letters.with_untracked(|letters| verdict(found, letters)),
        }
    };
    let example = move |(example, wanted): (&'static str, &'static str)| {
        view! {
            <button class="example" type="button" translate="no" on:click=move |_| draft.set(example, wanted)>
                {example}
            </button>
        }
        .into_any()
    };
    view! {
        <form class="search_form card" action="/api/search" method="post" autocomplete="off" on:submit=submit>
            <LimitedField field=Field::Phrase label=words::PHRASE text=phrase>
                <div class="phrase_box">
                    <PhraseMarks draft found />
                    <textarea id="phrase" name="phrase" rows="1" required dir="auto" translate="no" spellcheck="false" autocapitalize="off"
                        aria-describedby="phrase-note" prop:value=phrase
                        on:input:target=move |event| phrase.set(event.target().value())
                    ></textarea>
                </div>
            </LimitedField>
            <div class="search_row">
                <LimitedField field=Field::Letters label=words::LETTERS text=letters>
                    <input id="letters" name="letters" type="text" dir="auto" translate="no" spellcheck="false" autocapitalize="off"
                        aria-describedby="letters-note" prop:value=letters
                        on:input:target=move |event| letters.set(event.target().value())
                    />
                </LimitedField>
                <button class="button button-primary" type="submit">{words::DO_IT}</button>
            </div>
            <section class="preview" aria-label=words::PREVIEW>
                <LetterTiles draft found />
                <p class="verdict">{text_part(so_far)}</p>
            </section>
            <p class="examples">{words::TRY}" " {EXAMPLES.map(example).collect_view()}</p>
        </form>
    }
}

/// A label, the field itself, and how close its text is to the limit.
#[component]
fn LimitedField(field: Field, label: &'static str, text: RwSignal<String>, children: Children) -> impl IntoView {
    let fault = move || text.with(|text| field.fault(text));
    let note = move || fault().or_else(|| text.with(|text| field.counter(text))).unwrap_or_default();
    view! {
        <div class="field" data-fault=part(move || fault().map(|_| ""))>
            <div class="field_head">
                <label for=field.name()>{label}</label>
                <span class="field_note" id=format!("{}-note", field.name()) aria-live="polite">{text_part(note)}</span>
            </div>
            {children()}
        </div>
    }
}
