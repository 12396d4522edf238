//! The log's filter: what can be asked for, and which rows it matches.
//!
//! Rows are compared here and nowhere else, for pages, events and exports alike, and whatever database they come from.
//! A store is told [`LogBounds`] only: what its indexes can answer.

mod address;
mod bounds;
mod display;
mod error;
mod key;
mod lexer;
mod parse;
mod point;
mod position;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use self::bounds::LogBounds;
pub use self::error::FilterError;
pub use self::key::FilterKey;
pub use self::point::Point;
pub use self::position::LogPosition;

use self::address::Network;
use self::text::{has_letters, holds, is_same};
use crate::{LogRow, LogSeq, SearchId, TimeMs};

/// The rows for which all terms hold; all rows where there is no term.
///
/// Written as `phrase:~hello -browser:firefox since:2d "free text"`. `field:text` is the whole field, `field:~text` a
/// part of it; a text without a field is a part of any of them. The letters a to z are the same in either case, all
/// other characters only themselves; no character is a wildcard. A minus before a term turns it round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    sense: Sense,
    test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Is,
    IsNot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// A part of any text of the row.
    Anywhere(String),
    Part(Column, String),
    Whole(Column, String),
    /// These letters were found, and no others.
    Found(BTreeSet<char>),
    /// These letters are among those found.
    FoundAmong(BTreeSet<char>),
    Address(Network),
    Row(LogSeq),
    Search(SearchId),
    /// Recorded at this time or later.
    Since(Point),
    /// Recorded earlier than this.
    Before(Point),
}

/// The texts of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Phrase,
    Letters,
    Ip,
    Browser,
    Agent,
}

impl LogFilter {
    /// The rows that hold `text` anywhere.
    #[must_use]
    pub fn anywhere(text: impl Into<String>) -> Self {
        Self { terms: vec![Term { sense: Sense::Is, test: Test::Anywhere(text.into()) }] }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether `row` is among what the filter asks for, at the time `now`.
    #[must_use]
    pub fn matches(&self, row: &LogRow, now: TimeMs) -> bool {
        self.terms.iter().all(|Term { sense, test }| test.holds(row, now) == (*sense == Sense::Is))
    }
}

impl Test {
    fn holds(&self, row: &LogRow, now: TimeMs) -> bool {
        match self {
            Self::Anywhere(text) => {
                Column::ALL.iter().any(|column| holds(column.of(row), text)) || holds(&row.results, text)
            }
            Self::Part(column, text) => holds(column.of(row), text),
            Self::Whole(column, text) => is_same(column.of(row), text),
            Self::Found(letters) => row.results == crate::set_text(letters),
            Self::FoundAmong(letters) => has_letters(&row.results, letters),
            Self::Address(network) => network.holds(&row.ip),
            Self::Row(seq) => row.seq == *seq,
            Self::Search(id) => row.search_id == *id,
            Self::Since(point) => row.recorded_at >= point.seen_from(now),
            Self::Before(point) => row.recorded_at < point.seen_from(now),
        }
    }
}

impl Column {
    const ALL: [Self; 5] = [Self::Phrase, Self::Letters, Self::Ip, Self::Browser, Self::Agent];

    fn of(self, row: &LogRow) -> &str {
        match self {
            Self::Phrase => &row.phrase,
            Self::Letters => &row.letters,
            Self::Ip => &row.ip,
            Self::Browser => &row.browser_string,
            Self::Agent => &row.user_agent,
        }
    }
}
