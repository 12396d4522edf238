//! The pure function that everything else is about, and the text form of its answer.

use std::collections::BTreeSet;

/// The characters of `letters` that occur in `phrase`, in code-point order.
///
/// Compares Unicode scalar values, case-sensitively, without normalisation: exactly
/// Python's `set(letters) & set(phrase)`.
pub fn search4letters(phrase: &str, letters: &str) -> BTreeSet<char> {
    let mut wanted = BTreeSet::new();
    // One by one: `collect` would sort, and bring a sorting algorithm along for a handful of letters.
    wanted.extend(letters.chars());
    if wanted.is_empty() {
        return wanted;
    }
    let mut found = BTreeSet::new();
    for character in phrase.chars() {
        // A phrase is long and its letters are few: stop once nothing is left to find.
        if wanted.contains(&character) && found.insert(character) && found.len() == wanted.len() {
            break;
        }
    }
    found
}

/// `found` as Python displays a set, for instance `{'a', 'e'}`, or `set()` when empty.
///
/// Python's `eval` of the text gives the same set.
pub fn set_text(found: &BTreeSet<char>) -> String {
    if found.is_empty() {
        return "set()".to_owned();
    }
    let elements: Vec<String> = found.iter().copied().map(python_repr).collect();
    format!("{{{}}}", elements.join(", "))
}

/// `character` as Python 3.11's `repr` writes the string of that one character.
pub(crate) fn python_repr(character: char) -> String {
    match character {
        '\'' => "\"'\"".to_owned(),
        '\\' => "'\\\\'".to_owned(),
        '\t' => "'\\t'".to_owned(),
        '\n' => "'\\n'".to_owned(),
        '\r' => "'\\r'".to_owned(),
        _ if is_printable(character) => format!("'{character}'"),
        _ => match u32::from(character) {
            code @ ..=0xff => format!("'\\x{code:02x}'"),
            code @ ..=0xffff => format!("'\\u{code:04x}'"),
            code => format!("'\\U{code:08x}'"),
        },
    }
}

/// Python's `str.isprintable`, of Unicode 14.0 as Python 3.11 carries it.
fn is_printable(character: char) -> bool {
    let code = u32::from(character);
    if (0x20..0x7f).contains(&code) {
        return true;
    }
    let mut numbers = leb128_numbers(UNPRINTABLE);
    let mut end = 0;
    while let (Some(gap), Some(extent)) = (numbers.next(), numbers.next()) {
        let first = end + gap;
        if code < first {
            return true;
        }
        end = first + extent;
        if code <= end {
            return false;
        }
    }
    true
}

/// The runs of unprintable characters; tests/vectors/generate.py writes and describes it.
const UNPRINTABLE: &[u8] = include_bytes!("unprintable.bin");

fn leb128_numbers(bytes: &'static [u8]) -> impl Iterator<Item = u32> {
    bytes
        .split_inclusive(|byte| byte & 0x80 == 0)
        .map(|group| group.iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agrees_with_python_on_the_committed_vectors() {
        let vectors = include_str!("../../../tests/vectors/search.tsv");
        let mut checked = 0;
        for line in vectors.lines() {
            let fields: Vec<String> =
                line.split('\t').map(|field| serde_json::from_str(field).expect("a JSON string")).collect();
            let [phrase, letters, expected] = &fields[..] else { panic!("three fields: {line}") };
            assert_eq!(&set_text(&search4letters(phrase, letters)), expected, "{line}");
            checked += 1;
        }
        assert!(checked > 400, "only {checked} vectors");
    }

    proptest! {
        #[test]
        fn finds_exactly_the_common_characters(phrase in ".{0,60}", letters in ".{0,20}") {
            let found = search4letters(&phrase, &letters);
            for character in phrase.chars().chain(letters.chars()) {
                let common = phrase.contains(character) && letters.contains(character);
                prop_assert_eq!(found.contains(&character), common);
            }
            prop_assert!(found.iter().all(|&c| phrase.contains(c) && letters.contains(c)));
        }

        #[test]
        fn is_symmetric_and_ignores_order_and_repetition(phrase in ".{0,60}", letters in ".{0,20}") {
            let found = search4letters(&phrase, &letters);
            prop_assert_eq!(&found, &search4letters(&letters, &phrase));
            let reversed: String = letters.chars().rev().chain(letters.chars()).collect();
            prop_assert_eq!(&found, &search4letters(&phrase, &reversed));
        }

        #[test]
        fn text_holds_no_raw_control_character(phrase in any::<String>()) {
            let text = set_text(&search4letters(&phrase, &phrase));
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
