//! What the search will find, while its words are still being typed.

use api::search4letters;
use leptos::prelude::*;

use crate::components::{LetterChips, MarkedPhrase};
use crate::marking::runs;

#[component]
pub fn Preview(phrase: RwSignal<String>, letters: RwSignal<String>) -> impl IntoView {
    let found = Memo::new(move |_| phrase.with(|phrase| letters.with(|letters| search4letters(phrase, letters))));
    let runs = Memo::new(move |_| phrase.with(|phrase| found.with(|found| runs(phrase, found))));
    let is_empty = Memo::new(move |_| phrase.with(String::is_empty));
    view! {
        <section class="preview" aria-label="Preview">
            <Show
                when=move || !is_empty.get()
                fallback=|| view! { <p class="muted">"Type a phrase: the letters found in it show up here."</p> }
            >
                <Show
                    when=move || !found.with(std::collections::BTreeSet::is_empty)
                    fallback=|| view! { <p class="muted">"None of the letters so far."</p> }
                >
                    <LetterChips label="Letters found so far" letters=found />
                </Show>
                <MarkedPhrase runs />
            </Show>
        </section>
    }
}
