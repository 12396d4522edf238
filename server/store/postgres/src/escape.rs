//! Texts that PostgreSQL cannot hold as they are.

use std::borrow::Cow;

/// A text in which NUL is `\0` and `\` is `\\`.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\0', "\\0")
}

/// What was [`escaped`].
pub(crate) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' if characters.next() == Some('0') => '\0',
            character => character,
        });
    }
    plain
}

/// A text for people, in which a NUL is shown as its picture.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_exactly() {
        for text in ["", "plain", "a\0b", "\\", "\\0", "\0\\\0", "\\\\0\0\\", "é\0\u{202e}"] {
            let stored = escaped(text);
            assert!(!stored.contains('\0'), "{stored:?}");
            assert_eq!(unescaped(&stored), text);
        }
    }
}
