//! What the search will find, while its words are still being typed.

use api::search4letters;
use leptos::prelude::*;

use crate::components::{LetterChips, MarkedPhrase};
use crate::marking::runs;

#[component]
pub fn Preview(phrase: RwSignal<String>, letters: RwSignal<String>) -> impl IntoView {
    view! {
        <section class="preview" aria-label="Preview">
            {move || phrase.with(|phrase| letters.with(|letters| preview(phrase, letters)))}
        </section>
    }
}

fn preview(phrase: &str, letters: &str) -> AnyView {
    if phrase.is_empty() {
        return view! { <p class="muted">"Type a phrase: the letters found in it show up here."</p> }.into_any();
    }
    let found = search4letters(phrase, letters);
    let runs = runs(phrase, &found);
    let found = if found.is_empty() {
        view! { <p class="muted">"None of the letters so far."</p> }.into_any()
    } else {
        view! { <LetterChips label="Letters found so far" letters=found /> }.into_any()
    };
    view! { {found}<MarkedPhrase runs /> }.into_any()
}
