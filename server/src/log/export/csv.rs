//! A row as a line of CSV that no spreadsheet evaluates.
//!
//! Active characters (see inert.rs) and the backslash are escaped as in JSON, so that a row is one line. A text that a
//! spreadsheet would take for a formula gets a leading apostrophe, and so does one that begins with an apostrophe: a
//! reader removes one. A semicolon before such a text is escaped too, for programs that end fields at semicolons.

use std::time::{Duration, UNIX_EPOCH};

use api::TimeMs;
use store::{BorrowedRow, Manifest};

use super::ndjson::manifest_json;
use crate::platform::inert::{push, push_inert};

pub(super) const HEAD: &str =
    "seq,search_id,job_id,phrase,letters,results,ip,browser_string,user_agent,searched_at,recorded_at\r\n";

/// The end of 9999, the last year with four digits.
const LAST_MS: u64 = 253_402_300_799_999;

pub(super) fn push_line(out: &mut Vec<u8>, row: &BorrowedRow<'_>) {
    push(out, format_args!("{},{},{}", row.seq.0, row.search_id, row.job_id.0));
    for text in [row.phrase, row.letters, row.results, row.ip, row.browser_family, row.user_agent] {
        out.extend_from_slice(b",\"");
        push_text(out, text);
        out.push(b'"');
    }
    for time in [row.searched_at, row.recorded_at] {
        out.push(b',');
        push_time(out, time);
    }
    out.extend_from_slice(b"\r\n");
}

/// Has as many fields as a row. The first is no row's number, the fourth is the manifest as JSON.
pub(super) fn end(manifest: &Manifest) -> Vec<u8> {
    let mut line = b"#end,,,\"".to_vec();
    push_text(&mut line, &manifest_json(manifest));
    line.push(b'"');
    let fields_behind = HEAD.matches(',').count() - 3;
    line.extend(std::iter::repeat_n(b',', fields_behind));
    line.extend_from_slice(b"\r\n");
    line
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    if text.starts_with('\'') || is_formula(text) {
        out.push(b'\'');
    }
    let mut rest = text;
    while let Some((at, _)) = rest.match_indices(';').find(|(at, _)| is_formula(&rest[at + 1..])) {
        push_inert(out, &rest[..at], "\"\"");
        out.extend_from_slice(br"\u003b");
        rest = &rest[at + 1..];
    }
    push_inert(out, rest, "\"\"");
}

/// Whether a spreadsheet may evaluate the text, perhaps after removing invisible characters.
fn is_formula(text: &str) -> bool {
    let shown = text.trim_start_matches(|character: char| {
        let is_unseen = matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
        is_unseen || character.is_whitespace() || !api::is_inert(character)
    });
    // Chinese and Japanese spreadsheets accept full-width forms too.
    text.starts_with(['\t', '\r']) || shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// In RFC 3339 form. A time outside its range is written in milliseconds.
fn push_time(out: &mut Vec<u8>, time: TimeMs) {
    match u64::try_from(time.0).ok().filter(|&ms| ms <= LAST_MS) {
        Some(ms) => {
            let time = UNIX_EPOCH + Duration::from_millis(ms);
            push(out, format_args!("{}", humantime::format_rfc3339_millis(time)));
        }
        None => push(out, format_args!("{}", time.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        push_text(&mut out, text);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn no_text_is_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", r"'\t=1"),
            ("\rx", r"'\rx"),
            (" \u{feff}\n=1", "' \u{feff}\\n=1"),
            ("＝1", "'＝1"),
            ("a;=1", r"a\u003b=1"),
            (";;\t@", r";\u003b\t@"),
            ("'=1", "''=1"),
            ("'", "''"),
            ("a=1;b", "a=1;b"),
            ("say \"a\"", "say \"\"a\"\""),
            (r"C:\x", r"C:\\x"),
            ("", ""),
        ] {
            assert_eq!(written(text), expected, "{text:?}");
        }
    }

    #[test]
    fn times_are_written_by_rfc_3339_or_as_milliseconds() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "253402300800000"),
            (-1, "-1"),
        ] {
            let mut out = Vec::new();
            push_time(&mut out, TimeMs(ms));
            assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
        }
    }
}
