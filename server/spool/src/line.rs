//! The format of a line: a checksum, then the text that it covers.
//!
//! The text of a record is its number, search, time and payload, separated by spaces. Damaged lines are overwritten
//! with a void line once they are quarantined.

use std::fmt::Write as _;
use std::ops::Range;

use api::TimeMs;

use crate::Record;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Numbers count from 1 since the file was last emptied, so a missing line leaves a gap.
    Record { number: u64, record: Record },
    /// The lines of these numbers were damaged, and are quarantined.
    Void { numbers: Range<u64> },
}

/// True for any JSON text.
pub(crate) fn fits_in_a_line(payload: &str) -> bool {
    !payload.contains(['\n', '\0'])
}

impl Line {
    /// Includes the line break.
    pub(crate) fn write_record(number: u64, record: &Record, out: &mut Vec<u8>) {
        let Record { search, searched_at, payload } = record;
        let mut text = String::with_capacity(payload.len() + 64);
        write!(text, "{number} {search} {} {payload}", searched_at.0).expect("writing to a String never fails");
        write(&text, out);
    }

    /// Never longer than a record's line, so it fits in its place.
    pub(crate) fn write_void(numbers: &Range<u64>, out: &mut Vec<u8>) {
        write(&format!("void {} {}", numbers.start, numbers.end), out);
    }

    /// Reads a line without its line break. Returns `None` if it is not valid.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (checksum, text) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        if checksum != checksum_of(text) {
            return None;
        }
        let mut fields = text.splitn(4, ' ');
        let first = fields.next()?;
        if first == "void" {
            return Some(Self::Void { numbers: fields.next()?.parse().ok()?..fields.next()?.parse().ok()? });
        }
        let number = first.parse().ok()?;
        let search = fields.next()?.parse().ok()?;
        let searched_at = TimeMs(fields.next()?.parse().ok()?);
        let payload = fields.next()?.to_owned();
        Some(Self::Record { number, record: Record { search, searched_at, payload } })
    }

    /// The line numbers that this line accounts for.
    pub(crate) fn numbers(&self) -> Range<u64> {
        match self {
            Self::Record { number, .. } => *number..number.saturating_add(1),
            Self::Void { numbers } => numbers.clone(),
        }
    }
}

fn write(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{} {text}\n", checksum_of(text)).as_bytes());
}

/// CRC-32, in hexadecimal.
fn checksum_of(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use api::SearchId;
    use proptest::prelude::*;

    use super::*;

    fn written(number: u64, record: &Record) -> Vec<u8> {
        let mut line = Vec::new();
        Line::write_record(number, record, &mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        line
    }

    fn any_record() -> impl Strategy<Value = Record> {
        (any::<u128>(), any::<i64>(), "[^\n\0]{0,200}").prop_map(|(search, at, payload)| Record {
            search: SearchId(search),
            searched_at: TimeMs(at),
            payload,
        })
    }

    proptest! {
        #[test]
        fn a_written_line_is_read_back(number: u64, record in any_record()) {
            prop_assert_eq!(Line::read(&written(number, &record)), Some(Line::Record { number, record }));
        }

        #[test]
        fn a_flipped_bit_is_detected(record in any_record(), at: prop::sample::Index, bit in 0..8_u32) {
            let mut line = written(7, &record);
            let at = at.index(line.len());
            line[at] ^= 1 << bit;
            prop_assert_eq!(Line::read(&line), None);
        }

        #[test]
        fn a_cut_is_detected(record in any_record(), at: prop::sample::Index) {
            let line = written(7, &record);
            prop_assert_eq!(Line::read(&line[..at.index(line.len())]), None);
            prop_assert_eq!(Line::read(&line[1 + at.index(line.len())..]), None);
        }

        #[test]
        fn only_what_would_be_written_is_read(bytes: Vec<u8>) {
            if let Some(Line::Record { number, record }) = Line::read(&bytes) {
                prop_assert_eq!(written(number, &record), bytes);
            }
        }
    }

    #[test]
    fn a_void_line_is_short() {
        let mut line = Vec::new();
        Line::write_void(&(2..4), &mut line);
        assert_eq!(Line::read(&line[..line.len() - 1]), Some(Line::Void { numbers: 2..4 }));
        let mut widest = Vec::new();
        Line::write_void(&(9_999_999..10_000_000), &mut widest);
        let smallest = Record { search: SearchId(0), searched_at: TimeMs(0), payload: String::new() };
        assert!(widest.len() <= written(1, &smallest).len(), "it must fit where a line was");
    }

    #[test]
    fn a_line_is_readable_text() {
        let search = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("a ULID");
        let record = Record { search, searched_at: TimeMs(5), payload: r#"{"v":1}"#.to_owned() };
        let line = String::from_utf8(written(1, &record)).expect("text");
        assert_eq!(line, r#"c9e691cf 1 01ARZ3NDEKTSV4RRFFQ69G5FAV 5 {"v":1}"#);
    }
}
