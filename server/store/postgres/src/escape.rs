//! Escapes for texts with NUL, which PostgreSQL cannot store.

use std::borrow::Cow;

/// Writes NUL as `\0` and `\` as `\\`.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\0', "\\0")
}

/// The inverse of [`escaped`].
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

/// The text itself if it can be stored, else escaped, with a leading `\` as a mark.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    let is_plain = !text.contains('\0') && !text.starts_with('\\');
    if is_plain { Cow::Borrowed(text) } else { Cow::Owned(format!("\\{}", escaped(text))) }
}

/// The inverse of [`storable`].
pub(crate) fn restored(text: String) -> String {
    text.strip_prefix('\\').map(unescaped).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_restored_exactly() {
        for text in ["", "plain", "a\0b", "\\", "\\0", "\0\\\0", "\\\\0\0\\", "é\0\u{202e}"] {
            let stored = escaped(text);
            assert!(!stored.contains('\0'), "{stored:?}");
            assert_eq!(unescaped(&stored), text);
            assert!(!storable(text).contains('\0'));
            assert_eq!(restored(storable(text).into_owned()), text);
        }
    }
}
