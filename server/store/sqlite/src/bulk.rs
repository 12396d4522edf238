//! Many rows in one statement: how they get in, and which of them were inserted.

use std::collections::HashSet;

/// Many texts in one blob, which SQL takes apart with `cast(substr(blob, start, length) as text)`.
///
/// SQLite's JSON functions end a text at its first NUL, so JSON carries only numbers and our
/// own words; what people typed travels in here.
#[derive(Debug)]
pub(crate) struct Texts(Vec<u8>);

impl Default for Texts {
    fn default() -> Self {
        // Never empty: what SQLite cuts from an empty blob is not the empty text but null.
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

    /// Adds a text that may be absent; SQL makes null of it then.
    pub(crate) fn add_option(&mut self, text: Option<&str>) -> (Option<usize>, Option<usize>) {
        text.map(|text| self.add(text)).map_or((None, None), |(start, length)| (Some(start), Some(length)))
    }

    pub(crate) fn into_blob(self) -> Vec<u8> {
        self.0
    }
}

/// Rows of numbers and words as the JSON array of arrays that `jsonb_each` reads: `json_each` would make a text of each
/// row, which `->>` had to parse again.
pub(crate) fn json_rows(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("tuples of numbers and words have no keys that could fail to be JSON")
}

/// The numbers of the rows that were inserted, of those that were assigned for a batch.
///
/// Nearly always all of them were, which the count alone shows: a row for each from SQLite would cost more than the
/// insert.
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
