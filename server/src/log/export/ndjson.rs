//! A row as a JSON object: byte for byte what `GET /api/admin/log/rows` answers, and several times as fast. At its end
//! the letters found stand once more, as an array, so that no reader needs to know how Python displays a set.

use store::{BorrowedRow, Manifest};

use crate::platform::inert::{push, push_inert, to_json};

pub(super) fn push_line(out: &mut Vec<u8>, row: &BorrowedRow<'_>) {
    let (seq, search_id, job_id) = (row.seq.0, row.search_id, row.job_id.0);
    push(out, format_args!(r#"{{"seq":{seq},"search_id":"{search_id}","job_id":{job_id}"#));
    for (name, text) in [
        (r#","phrase":""#, row.phrase),
        (r#"","letters":""#, row.letters),
        (r#"","results":""#, row.results),
        (r#"","ip":""#, row.ip),
        (r#"","browser_string":""#, row.browser_family),
        (r#"","user_agent":""#, row.user_agent),
    ] {
        out.extend_from_slice(name.as_bytes());
        push_inert(out, text, r#"\""#);
    }
    push(out, format_args!("\",\"searched_at\":{},\"recorded_at\":{}", row.searched_at.0, row.recorded_at.0));
    push_letters(out, row.results);
    out.extend_from_slice(b"}\n");
}

/// The letters as an array; `null` if the text is no set of letters, which a search does not write.
fn push_letters(out: &mut Vec<u8>, results: &str) {
    out.extend_from_slice(br#","results_list":"#);
    let Some(letters) = api::letters_of_set(results) else {
        out.extend_from_slice(b"null");
        return;
    };
    for (index, letter) in letters.into_iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"[\"" } else { b",\"" });
        push_inert(out, letter.encode_utf8(&mut [0; 4]), r#"\""#);
        out.push(b'"');
    }
    out.extend_from_slice(if results == "set()" { b"[]" } else { b"]" });
}

pub(super) fn end(manifest: &Manifest) -> Vec<u8> {
    let mut line = manifest_json(manifest).into_bytes();
    line.push(b'\n');
    line
}

pub(super) fn manifest_json(manifest: &Manifest) -> String {
    let Manifest { rows, after, upto, filter, exported_at } = manifest;
    format!(
        r#"{{"manifest":{{"complete":true,"rows":{rows},"after":{},"upto":{},"filter":{},"exported_at":{}}}}}"#,
        after.0,
        upto.0,
        to_json(filter),
        exported_at.0
    )
}

#[cfg(test)]
mod tests {
    use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
    use proptest::prelude::*;
    use store::LogBlock;

    use super::*;

    #[test]
    fn the_letters_found_are_an_array() {
        for (results, expected) in [
            ("set()", "[]"),
            ("{'a'}", r#"["a"]"#),
            (r#"{'"', "'", '\\', '\n', '\u202e'}"#, r#"["\"","'","\\","\n","\u202e"]"#),
            ("?", "null"),
        ] {
            let mut line = Vec::new();
            push_letters(&mut line, results);
            let line = String::from_utf8(line).expect("UTF-8");
            assert_eq!(line, format!(",\"results_list\":{expected}"), "{results}");
        }
    }

    proptest! {
        #[test]
        fn equals_the_rows_of_the_page(
            texts in prop::array::uniform6("(.|[\u{0}-\u{2f}\\\\\u{7f}-\u{9f}\u{2020}-\u{2070}\u{61c}]){0,30}"),
            numbers in prop::array::uniform4(any::<i64>()),
            id in any::<u128>(),
        ) {
            let [phrase, letters, results, ip, browser_family, user_agent] = texts;
            let row = LogRow {
                seq: LogSeq(numbers[0]),
                search_id: SearchId(id),
                job_id: JobId(numbers[1]),
                phrase,
                letters,
                results,
                ip,
                browser_family,
                user_agent,
                searched_at: TimeMs(numbers[2]),
                recorded_at: TimeMs(numbers[3]),
            };
            let block = LogBlock::of_rows(std::slice::from_ref(&row));
            let mut line = Vec::new();
            for row in block.rows() {
                push_line(&mut line, &row.expect("a row"));
            }
            let row_of_the_page = to_json(&row);
            let expected = format!("{},\"results_list\":null}}\n", row_of_the_page.strip_suffix('}').expect("an object"));
            prop_assert_eq!(String::from_utf8(line).expect("UTF-8"), expected);
        }
    }
}
