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

/// A text that can be stored, as it is where that is possible; marked by a `\` in front where not.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    let is_plain = !text.contains('\0') && !text.starts_with('\\');
    if is_plain { Cow::Borrowed(text) } else { Cow::Owned(format!("\\{}", escaped(text))) }
}

/// What was made [`storable`].
pub(crate) fn restored(text: String) -> String {
    text.strip_prefix('\\').map(unescaped).unwrap_or(text)
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
            assert!(!storable(text).contains('\0'));
            assert_eq!(restored(storable(text).into_owned()), text);
        }
    }
}
