//! Escapes active characters as in JSON: controls, and characters that change the order of text.
//!
//! JSON escapes only the controls of ASCII. A terminal obeys others too, and some characters change the order of a
//! whole line: `curl` and `less` should show an export as it is. A reader of JSON gets the same text.

use std::io::{self, Write};
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// `value` as JSON on one line.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    let mut json = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut json, Inert)).expect("rows and errors have a JSON form");
    String::from_utf8(json).expect("JSON is UTF-8")
}

struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|&(_, character)| !api::is_inert(character)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            // Active characters are in the basic plane, so one escape is enough.
            write!(writer, "\\u{:04x}", u32::from(character))?;
            rest = &rest[at + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// The first bytes of all characters that need an escape.
static NEEDS_CARE: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut bytes = [false; 256];
    // Active characters are in the basic plane.
    let acting = ('\0'..='\u{ffff}').filter(|&character| !api::is_inert(character));
    for character in acting.chain(['"', '\\']) {
        bytes[usize::from(character.encode_utf8(&mut [0; 4]).as_bytes()[0])] = true;
    }
    bytes
});

pub(crate) fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a Vec cannot fail");
}

/// Adds `text`, with `quote` for each `"` in it.
pub(crate) fn push_inert(out: &mut Vec<u8>, text: &str, quote: &str) {
    let needs_care = &*NEEDS_CARE;
    // The bytes before `done` are written.
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
    fn escapes_only_active_characters() {
        let text = "é🦀\"\\\n\u{7f}\u{9b}31m\u{202e}x\u{2069}";
        let json = to_json(&text);
        assert_eq!(json, r#""é🦀\"\\\n\u007f\u009b31m\u202ex\u2069""#);
        assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
    }

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
