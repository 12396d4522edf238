//! A phrase with its found letters highlighted, and the letters as chips.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::ui::highlight::{self, Run, RunKind};

/// A phrase up to this length fits any screen, so it must not be a Tab stop. A longer one may need scrolling, also by
/// keyboard.
const UNSCROLLED_CHARACTERS: usize = 100;
/// The same for chips.
const UNSCROLLED_CHIPS: usize = 20;

#[component]
pub fn HighlightedPhrase(runs: Vec<Run>) -> impl IntoView {
    let run = |Run { kind, text }: Run| match kind {
        RunKind::Plain => text.into_any(),
        RunKind::Found => view! { <mark>{text}</mark> }.into_any(),
    };
    let may_scroll = runs.iter().flat_map(|run| run.text.chars()).nth(UNSCROLLED_CHARACTERS).is_some();
    view! {
        <p class="highlighted_phrase" dir="auto" translate="no" tabindex=may_scroll.then_some("0")>
            {runs.into_iter().map(run).collect::<Vec<_>>()}
        </p>
    }
}

#[component]
pub fn LetterChips(label: &'static str, letters: BTreeSet<char>) -> impl IntoView {
    let chip = |letter: char| {
        // A space would look like an empty chip.
        let text = if letter == ' ' { "␣".to_owned() } else { highlight::visible(letter.encode_utf8(&mut [0; 4])) };
        view! { <li class="letter_chip">{text}</li> }
    };
    let may_scroll = letters.len() > UNSCROLLED_CHIPS;
    view! {
        <ul class="letter_chips" translate="no" aria-label=label tabindex=may_scroll.then_some("0")>
            {letters.into_iter().map(chip).collect_view()}
        </ul>
    }
}
