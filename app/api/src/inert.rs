//! Characters that do something, in a terminal or to the text beside them.

/// Whether `character` only stands where it stands.
///
/// Not so the control characters, which terminals obey, and those that end a line or change the order in which
/// their neighbours are shown: what strangers type must not act on what stands next to it.
#[must_use]
pub fn is_inert(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // The marks, the embeddings and overrides (and, before these, both separators), and the isolates.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_acts() {
        let acting =
            "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";
        assert_eq!(acting.chars().find(|&c| is_inert(c)), None);
        assert!("a é 🦀 שלום \u{301}\u{200d}\u{fffd}".chars().all(is_inert));
    }
}
