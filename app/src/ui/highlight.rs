//! Makes invisible characters visible.

/// `text` in which characters that are invisible, or affect their neighbours, are replaced by visible ones.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|character| push_visible(&mut shown, character));
    shown
}

/// The same for a text of several lines, whose line breaks stay.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

fn push_visible(shown: &mut String, character: char) {
    match character {
        // The Control Pictures block mirrors the first 32 characters and has its own for DEL.
        '\0'..='\x1f' => shown.extend(char::from_u32(0x2400 + u32::from(character))),
        '\x7f' => shown.push('\u{2421}'),
        // These have no width: words that differ only in them look the same.
        '\u{200b}' | '\u{2060}' | '\u{feff}' => shown.extend(character.escape_unicode()),
        other if api::is_inert(other) => shown.push(other),
        active => shown.extend(active.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn invisible_characters_become_visible() {
        assert_eq!(visible("a\n\0\x7fb"), "a␊␀␡b");
        assert_eq!(visible("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(visible("🦀 é"), "🦀 é");
        assert_eq!(visible("a\nb\r\nc"), "a␊b␍␊c");
        assert_eq!(visible_lines("a\nb\r\nc"), "a\nb␍\nc");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_inert(text in any::<String>()) {
            prop_assert!(visible(&text).chars().all(api::is_inert));
            prop_assert!(visible_lines(&text).chars().all(|character| character == '\n' || api::is_inert(character)));
        }
    }
}
