//! Splits a phrase into found and other runs, and makes invisible characters visible.

use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub kind: RunKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    Plain,
    /// Characters that the search has found.
    Found,
}

/// Splits `phrase` between found and other characters, so that equal neighbours share a run.
pub fn runs(phrase: &str, found: &BTreeSet<char>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for character in phrase.chars() {
        let kind = if found.contains(&character) { RunKind::Found } else { RunKind::Plain };
        if runs.last().is_none_or(|run| run.kind != kind) {
            runs.push(Run { kind, text: String::new() });
        }
        if let Some(run) = runs.last_mut() {
            push_visible(&mut run.text, character);
        }
    }
    runs
}

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
    fn neighbours_share_a_run() {
        let runs = runs("aabba", &BTreeSet::from(['a']));
        let texts: Vec<(RunKind, &str)> = runs.iter().map(|run| (run.kind, run.text.as_str())).collect();
        assert_eq!(texts, [(RunKind::Found, "aa"), (RunKind::Plain, "bb"), (RunKind::Found, "a")]);
    }

    #[test]
    fn an_empty_phrase_has_no_runs() {
        assert!(runs("", &BTreeSet::from(['a'])).is_empty());
    }

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

        #[test]
        fn runs_show_the_whole_phrase(phrase in any::<String>(), letters in any::<String>()) {
            let runs = runs(&phrase, &api::search4letters(&phrase, &letters));
            let shown: String = runs.iter().map(|run| run.text.as_str()).collect();
            prop_assert_eq!(shown, visible(&phrase));
            prop_assert!(runs.windows(2).all(|pair| pair[0].kind != pair[1].kind));
        }
    }
}
