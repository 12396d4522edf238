//! The log's filter, and which rows it matches.
//!
//! Pages, events and exports all filter rows with this code, on either database. A store gets only [`LogBounds`], which
//! its indexes can answer.

mod compare;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

pub use self::parse::{FilterError, FilterKey, LogPosition};

use self::compare::{Network, contains, has_letters};
use crate::{LogRow, LogSeq, LogTime, SearchId, TimeMs};

/// Matches the rows for which all terms hold. Without terms, it matches all rows.
///
/// Written as `phrase:~hello -browser:firefox since:2d "free text"`. `field:text` compares the whole field,
/// `field:~text` finds the text within it, and a text without a field is found within any field. Only ASCII letters
/// ignore case. There are no wildcards. A minus before a term negates it.
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
    /// Part of any text of the row.
    Anywhere(String),
    Part(Column, String),
    Whole(Column, String),
    /// Exactly these letters were found.
    Found(BTreeSet<char>),
    /// At least these letters were found.
    FoundAmong(BTreeSet<char>),
    Address(Network),
    Row(LogSeq),
    Search(SearchId),
    /// Recorded at this time or later.
    Since(LogTime),
    /// Recorded earlier than this.
    Before(LogTime),
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
    /// Matches the rows that contain `text` in any field.
    pub fn anywhere(text: impl Into<String>) -> Self {
        Self { terms: vec![Term { sense: Sense::Is, test: Test::Anywhere(text.into()) }] }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether `row` matches at the time `now`.
    pub fn matches(&self, row: &LogRow, now: TimeMs) -> bool {
        self.terms.iter().all(|Term { sense, test }| test.matches(row, now) == (*sense == Sense::Is))
    }
}

impl Test {
    fn matches(&self, row: &LogRow, now: TimeMs) -> bool {
        match self {
            Self::Anywhere(text) => {
                Column::ALL.iter().any(|column| contains(column.of(row), text)) || contains(&row.results, text)
            }
            Self::Part(column, text) => contains(column.of(row), text),
            Self::Whole(column, text) => column.of(row).eq_ignore_ascii_case(text),
            Self::Found(letters) => row.results == crate::set_text(letters),
            Self::FoundAmong(letters) => has_letters(&row.results, letters),
            Self::Address(network) => network.contains(&row.ip),
            Self::Row(seq) => row.seq == *seq,
            Self::Search(id) => row.search_id == *id,
            Self::Since(time) => row.recorded_at >= time.resolve(now),
            Self::Before(time) => row.recorded_at < time.resolve(now),
        }
    }
}

impl Column {
    const ALL: [Self; 5] = [Self::Phrase, Self::Letters, Self::Ip, Self::Browser, Self::Agent];

    fn key(self) -> &'static str {
        match self {
            Self::Phrase => "phrase",
            Self::Letters => "letters",
            Self::Ip => "ip",
            Self::Browser => "browser",
            Self::Agent => "agent",
        }
    }

    fn of(self, row: &LogRow) -> &str {
        match self {
            Self::Phrase => &row.phrase,
            Self::Letters => &row.letters,
            Self::Ip => &row.ip,
            Self::Browser => &row.browser_family,
            Self::Agent => &row.user_agent,
        }
    }
}

/// A range that contains every row that a filter can match. Its rows still have to be compared with the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// The lowest and the highest row number.
    pub first: LogSeq,
    pub last: LogSeq,
    /// Recorded at this time or later.
    pub since: Option<TimeMs>,
    /// Recorded earlier than this.
    pub before: Option<TimeMs>,
    /// The only search, if the filter names one.
    pub search: Option<SearchId>,
}

impl LogBounds {
    pub const NONE: Self = Self { first: LogSeq(1), last: LogSeq(i64::MAX), since: None, before: None, search: None };

    pub fn is_unbounded(&self) -> bool {
        *self == Self::NONE
    }

    pub fn is_empty(&self) -> bool {
        self.first > self.last || matches!((self.since, self.before), (Some(since), Some(before)) if since >= before)
    }

    fn narrow(&mut self, term: &Term, now: TimeMs) {
        let since = |bounds: &mut Self, time| bounds.since = bounds.since.max(Some(time));
        let before = |bounds: &mut Self, time: TimeMs| {
            bounds.before = Some(bounds.before.map_or(time, |before| before.min(time)));
        };
        match (term.sense, &term.test) {
            (Sense::Is, Test::Row(seq)) => {
                self.first = self.first.max(*seq);
                self.last = self.last.min(*seq);
            }
            // With two different ids no row matches, so either one is a valid bound.
            (Sense::Is, Test::Search(id)) => self.search = Some(*id),
            (Sense::Is, Test::Since(time)) | (Sense::IsNot, Test::Before(time)) => since(self, time.resolve(now)),
            (Sense::Is, Test::Before(time)) | (Sense::IsNot, Test::Since(time)) => before(self, time.resolve(now)),
            _ => {}
        }
    }
}

impl LogFilter {
    /// The bounds at the time `now`.
    pub fn bounds(&self, now: TimeMs) -> LogBounds {
        let mut bounds = LogBounds::NONE;
        for term in &self.terms {
            bounds.narrow(term, now);
        }
        bounds
    }
}

/// Displays a text that parses as the same filter.
impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sense == Sense::IsNot {
            f.write_str("-")?;
        }
        let letters = |letters: &BTreeSet<char>| quoted(&letters.iter().collect::<String>());
        match &self.test {
            Test::Anywhere(text) => f.write_str(&quoted(text)),
            Test::Part(column, text) => write!(f, "{}:~{}", column.key(), quoted(text)),
            Test::Whole(column, text) => write!(f, "{}:{}", column.key(), quoted(text)),
            Test::Found(found) => write!(f, "results:{}", letters(found)),
            Test::FoundAmong(found) => write!(f, "results:~{}", letters(found)),
            Test::Address(network) => write!(f, "ip:{network}"),
            Test::Row(seq) => write!(f, "row:{}", seq.0),
            Test::Search(id) => write!(f, "search:{id}"),
            Test::Since(time) => write!(f, "since:{time}"),
            Test::Before(time) => write!(f, "before:{time}"),
        }
    }
}

/// Puts `text` in quotes, unless it parses as itself without them.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| !character.is_whitespace() && !matches!(character, '"' | ':' | '~' | '-');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
