//! Texts in which every character that acts on something is escaped as in JSON.

use std::sync::LazyLock;

/// The first bytes of those characters that are not written as they are.
static NEEDS_CARE: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut bytes = [false; 256];
    // None of those that act lies beyond the first plane.
    let acting = ('\0'..='\u{ffff}').filter(|&character| !api::is_inert(character));
    for character in acting.chain(['"', '\\']) {
        bytes[usize::from(character.encode_utf8(&mut [0; 4]).as_bytes()[0])] = true;
    }
    bytes
});

/// Adds `text`, with `quote` for each `"` in it.
pub(super) fn push_inert(out: &mut Vec<u8>, text: &str, quote: &str) {
    let needs_care = &*NEEDS_CARE;
    // What stands before `done` is written.
    let (mut done, mut at) = (0, 0);
    while let Some(found) = text.as_bytes()[at..].iter().position(|&byte| needs_care[usize::from(byte)]) {
        at += found;
        let Some(character) = text[at..].chars().next() else { break };
        let end = at + character.len_utf8();
        if character == '"' || character == '\\' || !api::is_inert(character) {
            out.extend_from_slice(&text.as_bytes()[done..at]);
            push_escape(out, character, quote);
            done = end;
        }
        at = end;
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
}

fn push_escape(out: &mut Vec<u8>, character: char, quote: &str) {
    let escape = match character {
        '"' => quote,
        '\\' => r"\\",
        '\u{8}' => r"\b",
        '\t' => r"\t",
        '\n' => r"\n",
        '\u{c}' => r"\f",
        '\r' => r"\r",
        other => return out.extend_from_slice(format!("\\u{:04x}", u32::from(other)).as_bytes()),
    };
    out.extend_from_slice(escape.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_itself_or_an_escape_that_is_inert() {
        for character in '\0'..=char::MAX {
            let text = format!("a{character}b");
            let mut out = Vec::new();
            push_inert(&mut out, &text, r#"\""#);
            let json = format!("\"{}\"", String::from_utf8(out).expect("UTF-8"));
            assert!(json.chars().all(api::is_inert), "{character:?}");
            assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
        }
    }
}
