//! How texts are compared.

use std::collections::BTreeSet;

use crate::search4letters::python_repr;

/// Whether `text` stands somewhere in `whole`; a to z in either case.
pub(super) fn holds(whole: &str, text: &str) -> bool {
    let Some(first) = text.as_bytes().first() else { return true };
    // Bytes will do: no character of more than one holds a byte of ASCII, and none begins within another.
    whole
        .as_bytes()
        .windows(text.len())
        .any(|part| part[0].eq_ignore_ascii_case(first) && part.eq_ignore_ascii_case(text.as_bytes()))
}

/// Whether the texts are the same; a to z in either case.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether all of `letters` are in a set as Python displays it.
///
/// A letter's form begins and ends with a quote, and behind the quote that ends one comes a comma and a space: so
/// what looks like the form of a letter is one.
pub(super) fn has_letters(set: &str, letters: &BTreeSet<char>) -> bool {
    letters.iter().all(|&letter| set.contains(&python_repr(letter)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ascii_letters_lose_their_case() {
        assert!(holds("100% Life_", "LIFE_"));
        assert!(!holds("100% LifeX", "life_"), "no wildcard");
        assert!(holds("ÄPFEL", "Äpfel"));
        assert!(!holds("ÄPFEL", "äpfel"));
        assert!(holds("a\0B", "A\0b"));
        assert!(holds("", "") && holds("a", "") && !holds("", "a") && !holds("a", "aa"));
        assert!(is_same("Firefox", "fireFOX") && !is_same("Firefox", "Fire"));
    }

    proptest! {
        #[test]
        fn a_text_holds_what_its_lower_case_holds(whole in "[aAbBéÉ\u{0}]{0,8}", text in "[aAbBéÉ\u{0}]{0,3}") {
            let expected = whole.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
            prop_assert_eq!(holds(&whole, &text), expected);
        }

        #[test]
        fn letters_are_told_from_what_stands_between_them(phrase in "[ ,'\"\\\\{}a\n\u{0}é]{0,9}", letter in "[ ,'\"\\\\{}anx0\n\u{0}é]") {
            let all: BTreeSet<char> = phrase.chars().collect();
            let letters: BTreeSet<char> = letter.chars().collect();
            prop_assert_eq!(has_letters(&crate::set_text(&all), &letters), letters.is_subset(&all));
        }
    }
}
