//! A set of letters, each on a chip of its own.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::marking;

/// So many chips never have to be scrolled, however narrow the screen; more may have to, by keyboard too.
const NEVER_SCROLLED: usize = 20;

#[component]
pub fn LetterChips(label: &'static str, letters: BTreeSet<char>) -> impl IntoView {
    let chip = |letter: char| {
        // A space on a chip looks like an empty chip.
        let shown = if letter == ' ' { "␣".to_owned() } else { marking::visible(letter.encode_utf8(&mut [0; 4])) };
        view! { <li class="letter_chip">{shown}</li> }
    };
    let may_scroll = letters.len() > NEVER_SCROLLED;
    view! {
        <ul class="letter_chips" aria-label=label tabindex=may_scroll.then_some("0")>
            {letters.into_iter().map(chip).collect_view()}
        </ul>
    }
}
