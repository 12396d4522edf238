//! Parses exports of the log, in the documented formats.

use std::time::{SystemTime, UNIX_EPOCH};

use api::{JobId, LogRow, LogSeq, TimeMs};
use serde::Deserialize;

const CSV_HEAD: &str =
    "seq,search_id,job_id,phrase,letters,results,ip,browser_string,user_agent,searched_at,recorded_at";

/// What the last line says of an export.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub complete: bool,
    pub rows: usize,
    pub after: i64,
    pub upto: i64,
    pub filter: String,
    pub exported_at: i64,
}

#[derive(Deserialize)]
struct LastLine {
    manifest: Manifest,
}

/// Panics if a line is not a row, or the export is incomplete.
pub fn rows_of_ndjson(text: &str) -> Vec<LogRow> {
    parts_of_ndjson(text).0
}

/// The rows and the manifest of an export. Panics if it is incomplete.
pub fn parts_of_ndjson(text: &str) -> (Vec<LogRow>, Manifest) {
    let (rows, manifest) = text.strip_suffix('\n').expect("whole lines").rsplit_once('\n').unwrap_or(("", text));
    let rows = rows.split_terminator('\n');
    let rows: Vec<LogRow> =
        rows.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect();
    let manifest = manifest_of(manifest);
    assert_eq!(manifest.rows, rows.len(), "the manifest counts the rows");
    (rows, manifest)
}

fn manifest_of(json: &str) -> Manifest {
    let LastLine { manifest } = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"));
    assert!(manifest.complete, "{manifest:?}");
    manifest
}

/// The same for CSV.
pub fn rows_of_csv(text: &str) -> Vec<LogRow> {
    let mut records = records_of(text);
    let end = records.pop().expect("a last line");
    assert_eq!((end.len(), end[0].as_str()), (CSV_HEAD.matches(',').count() + 1, "#end"));
    let mut records = records.into_iter();
    assert_eq!(records.next().map(|names| names.join(",")).as_deref(), Some(CSV_HEAD));
    let rows: Vec<LogRow> = records.map(row_of).collect();
    assert_eq!(manifest_of(&text_of(&end[3])).rows, rows.len(), "the manifest counts the rows");
    rows
}

/// Reads CSV strictly as RFC 4180 defines it.
pub fn records_of(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let mut record = Vec::new();
        loop {
            let (field, behind) = field_of(rest);
            record.push(field);
            match behind.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    rest = behind.strip_prefix("\r\n").unwrap_or_else(|| panic!("no end of a record at {behind:.80}"));
                    break;
                }
            }
        }
        records.push(record);
    }
    records
}

/// The first field and the rest.
fn field_of(text: &str) -> (String, &str) {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\r', '\n', '"']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut field = String::new();
    loop {
        let (before, behind) = rest.split_once('"').expect("a quoted field ends");
        field.push_str(before);
        match behind.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return (field, behind),
        }
    }
}

fn row_of(record: Vec<String>) -> LogRow {
    let fields: [String; 11] = record.try_into().unwrap_or_else(|record| panic!("{record:?} does not have 11 fields"));
    let [seq, search_id, job_id, phrase, letters, results, ip, browser_family, user_agent, searched_at, recorded_at] =
        fields;
    LogRow {
        seq: LogSeq(seq.parse().expect("a number")),
        search_id: search_id.parse().expect("an id"),
        job_id: JobId(job_id.parse().expect("a number")),
        phrase: text_of(&phrase),
        letters: text_of(&letters),
        results: text_of(&results),
        ip: text_of(&ip),
        browser_family: text_of(&browser_family),
        user_agent: text_of(&user_agent),
        searched_at: time_of(&searched_at),
        recorded_at: time_of(&recorded_at),
    }
}

/// Removes the apostrophe that makes a formula inert, and decodes the JSON escapes.
fn text_of(field: &str) -> String {
    let text = field.strip_prefix('\'').unwrap_or(field);
    let json = format!("\"{}\"", text.replace('"', "\\\""));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

fn time_of(field: &str) -> TimeMs {
    let time: SystemTime = humantime::parse_rfc3339(field).unwrap_or_else(|error| panic!("{error} in {field}"));
    let since = time.duration_since(UNIX_EPOCH).expect("after 1970");
    TimeMs(i64::try_from(since.as_millis()).expect("within bounds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_rfc_4180_says() {
        let text = "a,\"b \"\"c\"\", d\",\r\n\"\",\"two\r\nlines\",x\r\n";
        assert_eq!(records_of(text), [["a", "b \"c\", d", ""], ["", "two\r\nlines", "x"]]);
        assert_eq!(text_of(r"''=\u003b\\"), "'=;\\");
    }
}
