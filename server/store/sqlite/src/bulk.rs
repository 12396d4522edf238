//! Inserts many rows with one statement, and finds out which of them were inserted.

use std::collections::HashSet;

/// Many texts in one blob, which SQL splits with `cast(substr(blob, start, length) as text)`.
///
/// SQLite's JSON functions cut a text at its first NUL. So user input is passed in a blob, and JSON contains only
/// numbers and our own identifiers.
#[derive(Debug)]
pub(crate) struct Texts(Vec<u8>);

impl Default for Texts {
    fn default() -> Self {
        // Never empty: `substr` of an empty blob is null, not an empty text.
        Self(vec![0])
    }
}

impl Texts {
    /// Adds a text. Returns its start, counted from 1, and its length in bytes.
    pub(crate) fn add(&mut self, text: &str) -> (usize, usize) {
        let start = self.0.len() + 1;
        self.0.extend_from_slice(text.as_bytes());
        (start, text.len())
    }

    /// Adds a text if there is one. Otherwise SQL reads null.
    pub(crate) fn add_option(&mut self, text: Option<&str>) -> (Option<usize>, Option<usize>) {
        text.map(|text| self.add(text)).map_or((None, None), |(start, length)| (Some(start), Some(length)))
    }

    pub(crate) fn into_blob(self) -> Vec<u8> {
        self.0
    }
}

/// Rows of numbers and identifiers as a JSON array of arrays, for `jsonb_each`. `json_each` would turn each row into a
/// text, which `->>` would have to parse again.
pub(crate) fn json_rows(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("tuples of numbers and texts are always valid JSON")
}

/// Which of the row numbers that were assigned to a batch were inserted.
///
/// Nearly always all of them, which the count alone shows: a row for each from SQLite would cost more than the insert.
#[derive(Debug)]
pub(crate) enum Inserted {
    All,
    Some(HashSet<i64>),
}

impl Inserted {
    pub(crate) fn contains(&self, number: i64) -> bool {
        match self {
            Self::All => true,
            Self::Some(numbers) => numbers.contains(&number),
        }
    }
}
