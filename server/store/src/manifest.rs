//! What an export holds, as its last line or its table says it.

use api::{LogSeq, TimeMs};

/// An export that has none was cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// How many rows it holds.
    pub rows: u64,
    /// It holds the matching rows after this number,
    pub after: LogSeq,
    /// and up to this one.
    pub upto: LogSeq,
    /// The filter's text; empty for all rows.
    pub filter: String,
    /// When it began.
    pub exported_at: TimeMs,
}
