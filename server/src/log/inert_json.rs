//! JSON that does nothing where it is read as text.
//!
//! JSON escapes only the controls of ASCII. A terminal obeys others too, and some characters change the order of a
//! whole line: who reads an export with `curl` or `less` should see what is in there. To a reader of JSON it is the
//! same text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// `value` on one line.
pub fn to_string<T: Serialize>(value: &T) -> String {
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
            // None of them lies beyond the first plane, where one escape would not be enough.
            write!(writer, "\\u{:04x}", u32::from(character))?;
            rest = &rest[at + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_acts_and_nothing_else() {
        let text = "é🦀\"\\\n\u{7f}\u{9b}31m\u{202e}x\u{2069}";
        let json = to_string(&text);
        assert_eq!(json, r#""é🦀\"\\\n\u007f\u009b31m\u202ex\u2069""#);
        assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
    }
}
