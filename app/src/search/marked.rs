//! The found letters, marked in the phrase and counted on tiles.

use std::collections::BTreeSet;

use api::search4letters;
use leptos::prelude::*;

use crate::search::draft::Draft;
use crate::search::words;
use crate::ui::part::part;
use crate::ui::{format, highlight};

/// Tiles up to this number fit any screen, so they must not be a Tab stop. More may need scrolling, also by keyboard.
const UNSCROLLED_TILES: usize = 20;

/// The phrase once more, behind its text field: invisible but for the marks. The field and this text have the same
/// style, so a mark stands behind its letter.
#[component]
pub fn PhraseMarks(
    draft: Draft,
    /// Gets the wanted letters that are in the phrase, at each change of the draft: what else shows them follows it.
    found: RwSignal<String>,
) -> impl IntoView {
    let Draft { phrase, letters } = draft;
    let marks = move || {
        let run = |(is_found, text): (bool, String)| match is_found {
            true => view! { <mark>{text}</mark> }.into_any(),
            false => text.into_any(),
        };
        phrase.with(|phrase| {
            let now = letters.with(|letters| search4letters(phrase, letters).iter().collect::<String>());
            let marks = runs(phrase, &now).into_iter().map(run).collect::<Vec<_>>();
            found.set(now);
            marks.into_any()
        })
    };
    view! { <p class="phrase_marks" dir="auto" translate="no" aria-hidden="true">{part(marks)}</p> }
}

/// Splits `phrase` between found and other characters, so that equal neighbours share a run.
fn runs(phrase: &str, found: &str) -> Vec<(bool, String)> {
    let mut runs: Vec<(bool, String)> = Vec::new();
    for character in phrase.chars() {
        let is_found = has(found, character);
        match runs.last_mut().filter(|(kind, _)| *kind == is_found) {
            Some((_, text)) => text.push(character),
            None => runs.push((is_found, character.into())),
        }
    }
    runs
}

/// Smaller in the bundle than `contains`, which is made for long texts.
fn has(found: &str, letter: char) -> bool {
    found.chars().any(|found| found == letter)
}

/// Each wanted letter once, in the order in which they were typed, and how often the phrase has it.
#[component]
pub fn LetterTiles(draft: Draft, found: RwSignal<String>) -> impl IntoView {
    let Draft { phrase, letters } = draft;
    let tile = |(letter, count): (char, usize)| {
        view! {
            <li class="letter_tile" data-found=(count > 0).then_some("")>
                {shown(letter)}<small>{format::number(count as u64)}</small>
            </li>
        }
        .into_any()
    };
    part(move || {
        let counts = found.with(|found| {
            phrase.with_untracked(|phrase| letters.with_untracked(|letters| counts(phrase, letters, found)))
        });
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
        .into_any()
    })
}

/// A letter that stands alone: spaces and what joins its neighbours would be invisible.
pub fn shown(letter: char) -> String {
    match letter {
        ' ' => "␣".to_owned(),
        '\u{a0}' | '\u{200c}' | '\u{200d}' | '\u{3000}' | '\u{fe0f}' => format!("\\u{{{:x}}}", u32::from(letter)),
        _ => highlight::visible(letter.encode_utf8(&mut [0; 4])),
    }
}

fn counts(phrase: &str, letters: &str, found: &str) -> Vec<(char, usize)> {
    let mut counts: Vec<(char, usize)> = Vec::new();
    let mut known = BTreeSet::new();
    for letter in letters.chars().filter(|letter| known.insert(*letter)) {
        let count = if has(found, letter) { phrase.chars().filter(|other| *other == letter).count() } else { 0 };
        counts.push((letter, count));
    }
    counts
}

/// The result as a sentence: so many of the wanted letters were found.
pub fn verdict(found: usize, letters: &str) -> String {
    let mut wanted = BTreeSet::new();
    wanted.extend(letters.chars());
    words::verdict(found, wanted.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_share_a_run() {
        let runs = runs("aabba", "a");
        let texts: Vec<(bool, &str)> = runs.iter().map(|(is_found, text)| (*is_found, text.as_str())).collect();
        assert_eq!(texts, [(true, "aa"), (false, "bb"), (true, "a")]);
    }

    fn found(phrase: &str, letters: &str) -> String {
        search4letters(phrase, letters).into_iter().collect()
    }

    #[test]
    fn each_letter_is_counted_once_in_the_order_typed() {
        let counts = |phrase: &str, letters: &str| counts(phrase, letters, &found(phrase, letters));
        assert_eq!(counts("banana 🍌", "nab🍌na"), [('n', 2), ('a', 3), ('b', 1), ('🍌', 1)]);
        assert_eq!(counts("", "ab"), [('a', 0), ('b', 0)]);
    }

    #[test]
    fn the_verdict_is_a_sentence() {
        let verdict = |phrase: &str, letters: &str| verdict(search4letters(phrase, letters).len(), letters);
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
            let runs = runs(&phrase, &found(&phrase, &letters));
            let shown: String = runs.iter().map(|(_, text)| text.as_str()).collect();
            prop_assert_eq!(shown, phrase);
            prop_assert!(runs.windows(2).all(|pair| pair[0].0 != pair[1].0));
        }
    }
}
