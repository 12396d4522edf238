//! A set of letters, each on a chip of its own.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::marking;

#[component]
pub fn LetterChips(label: &'static str, #[prop(into)] letters: Signal<BTreeSet<char>>) -> impl IntoView {
    let chip = |letter: char| {
        // A space on a chip looks like an empty chip.
        let shown = if letter == ' ' { "␣".to_owned() } else { marking::visible(letter.encode_utf8(&mut [0; 4])) };
        view! { <li class="letter_chip">{shown}</li> }
    };
    view! {
        <ul class="letter_chips" aria-label=label>
            {move || letters.get().into_iter().map(chip).collect_view()}
        </ul>
    }
}
