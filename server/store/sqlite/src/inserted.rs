//! Which rows of a batch were inserted.

use std::collections::HashSet;

/// The numbers of the rows that were inserted, of those that were given out for a batch.
///
/// Nearly always all of them were, which the count alone tells: a row for each from SQLite would cost more than the
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
