//! The found letters, marked in the phrase and counted on tiles.

use std::collections::BTreeSet;

use api::search4letters;
use leptos::prelude::*;

use crate::search::words;
use crate::ui::{format, highlight};

/// Tiles up to this number fit any screen, so they must not be a Tab stop. More may need scrolling, also by keyboard.
const UNSCROLLED_TILES: usize = 20;

/// The phrase once more, behind its text field: invisible but for the marks. The field and this text have the same
/// style, so a mark stands behind its letter.
#[component]
pub fn PhraseMarks(phrase: RwSignal<String>, letters: RwSignal<String>) -> impl IntoView {
    let marks = move || {
        phrase.with(|phrase| {
            let found = letters.with(|letters| search4letters(phrase, letters));
            let run = |(is_found, text): (bool, String)| match is_found {
                true => view! { <mark>{text}</mark> }.into_any(),
                false => text.into_any(),
            };
            runs(phrase, &found).into_iter().map(run).collect::<Vec<_>>()
        })
    };
    view! { <p class="phrase_marks" dir="auto" translate="no" aria-hidden="true">{marks}</p> }
}

/// Splits `phrase` between found and other characters, so that equal neighbours share a run.
fn runs(phrase: &str, found: &BTreeSet<char>) -> Vec<(bool, String)> {
    let mut runs: Vec<(bool, String)> = Vec::new();
    for character in phrase.chars() {
        let is_found = found.contains(&character);
        match runs.last_mut().filter(|(kind, _)| *kind == is_found) {
            Some((_, text)) => text.push(character),
            None => runs.push((is_found, character.into())),
        }
    }
    runs
}

/// Each wanted letter once, in the order in which they were typed, and how often the phrase has it.
#[component]
pub fn LetterTiles(phrase: RwSignal<String>, letters: RwSignal<String>) -> impl IntoView {
    let tile = |(letter, count): (char, usize)| {
        // A space would look like an empty tile.
        let shown = if letter == ' ' { "␣".to_owned() } else { highlight::visible(letter.encode_utf8(&mut [0; 4])) };
        view! {
            <li class="letter_tile" data-found=(count > 0).then_some("")>
                {shown}<small>{format::number(count as u64)}</small>
            </li>
        }
    };
    move || {
        let counts = phrase.with(|phrase| letters.with(|letters| counts(phrase, letters)));
        let may_scroll = counts.len() > UNSCROLLED_TILES;
        view! {
            <ul
                class="letter_tiles"
                translate="no"
                aria-label=words::TILES
                tabindex=may_scroll.then_some("0")
            >
                {counts.into_iter().map(tile).collect_view()}
            </ul>
        }
    }
}

fn counts(phrase: &str, letters: &str) -> Vec<(char, usize)> {
    let found = search4letters(phrase, letters);
    let mut counts: Vec<(char, usize)> = Vec::new();
    let mut known = BTreeSet::new();
    for letter in letters.chars().filter(|letter| known.insert(*letter)) {
        let count = if found.contains(&letter) { phrase.chars().filter(|other| *other == letter).count() } else { 0 };
        counts.push((letter, count));
    }
    counts
}

/// The result as a sentence.
pub fn verdict(found: &BTreeSet<char>, letters: &str) -> String {
    let mut wanted = BTreeSet::new();
    wanted.extend(letters.chars());
    words::verdict(found.len(), wanted.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_share_a_run() {
        let runs = runs("aabba", &BTreeSet::from(['a']));
        let texts: Vec<(bool, &str)> = runs.iter().map(|(is_found, text)| (*is_found, text.as_str())).collect();
        assert_eq!(texts, [(true, "aa"), (false, "bb"), (true, "a")]);
    }

    #[test]
    fn each_letter_is_counted_once_in_the_order_typed() {
        assert_eq!(counts("banana 🍌", "nab🍌na"), [('n', 2), ('a', 3), ('b', 1), ('🍌', 1)]);
        assert_eq!(counts("", "ab"), [('a', 0), ('b', 0)]);
    }

    #[test]
    fn the_verdict_is_a_sentence() {
        let verdict = |phrase: &str, letters: &str| verdict(&search4letters(phrase, letters), letters);
        assert_eq!(verdict("life", ""), "There are no letters to look for.");
        assert_eq!(verdict("rhythm", "aeiou"), "None of the letters are in your phrase.");
        assert_eq!(verdict("rhythm", "a"), "The letter is not in your phrase.");
        assert_eq!(verdict("rhythm", "yy"), "The letter is in your phrase.");
        assert_eq!(verdict("life", "aeiou"), "2 of 5 letters are in your phrase.");
        assert_eq!(verdict("sequoia", "aeiou"), "All 5 letters are in your phrase.");
    }

    proptest! {
        #[test]
        fn marks_and_field_have_the_same_text(phrase in any::<String>(), letters in any::<String>()) {
            let runs = runs(&phrase, &search4letters(&phrase, &letters));
            let shown: String = runs.iter().map(|(_, text)| text.as_str()).collect();
            prop_assert_eq!(shown, phrase);
            prop_assert!(runs.windows(2).all(|pair| pair[0].0 != pair[1].0));
        }
    }
}
