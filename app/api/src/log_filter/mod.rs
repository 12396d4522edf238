//! The log's filter, and which rows it matches.
//!
//! Pages, events and exports all filter rows with this code, on either database. A store gets only [`LogBounds`], which
//! its indexes can answer.

mod compare;
mod hint;
mod lexer;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

pub use self::hint::meant_filter;
pub use self::parse::{FilterError, FilterKey, LogPosition, with_absolute_times};

use self::compare::{Network, contains, has_letters};
use crate::{LogRow, LogSeq, LogTime, Receipt, SearchId, TimeMs};

/// Matches the rows for which all terms hold. Without terms, it matches all rows.
///
/// Written as `phrase:~hello -browser:firefox since:2d "free text"`. `field:text` compares the whole field,
/// `field:~text` finds the text within it, and a text without a field is found within any field. Only ASCII letters
/// ignore case. There are no wildcards. A minus before a term negates it. What has no meaning in this grammar is an
/// error: it is not read as a text.
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
    /// The search's receipt. Only the server knows which search that is: see [`LogFilter::with_searches`].
    Receipt(Receipt),
    Time(Stamp, TimeRange),
}

/// The times of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    Searched,
    Recorded,
}

/// From `from` up to, but not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimeRange {
    from: Option<LogTime>,
    to: Option<LogTime>,
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
        let text = text.into();
        let terms = if text.is_empty() { vec![] } else { vec![Term { sense: Sense::Is, test: Test::Anywhere(text) }] };
        Self { terms }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Names the searches of receipts, without which no row matches a receipt.
    pub fn with_searches(mut self, search_of: impl Fn(&Receipt) -> Option<SearchId>) -> Self {
        for Term { test, .. } in &mut self.terms {
            if let Test::Receipt(receipt) = test
                && let Some(id) = search_of(receipt)
            {
                *test = Test::Search(id);
            }
        }
        self
    }

    /// The search's id, or the receipt, if the filter asks for a certain search.
    pub fn asked_search(&self) -> Option<String> {
        self.terms.iter().filter(|term| term.sense == Sense::Is).find_map(|term| match &term.test {
            Test::Search(id) => Some(id.to_string()),
            Test::Receipt(Receipt(receipt)) => Some(receipt.clone()),
            _ => None,
        })
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
            Self::Receipt(_) => false,
            Self::Time(stamp, TimeRange { from, to }) => {
                let at = stamp.of(row);
                from.is_none_or(|from| at >= from.resolve(now)) && to.is_none_or(|to| at < to.resolve(now))
            }
        }
    }
}

impl Stamp {
    fn key(self) -> &'static str {
        match self {
            Self::Searched => "searched",
            Self::Recorded => "recorded",
        }
    }

    fn of(self, row: &LogRow) -> TimeMs {
        match self {
            Self::Searched => row.searched_at,
            Self::Recorded => row.recorded_at,
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
            (Sense::Is, Test::Time(Stamp::Recorded, TimeRange { from, to })) => {
                let _ = from.map(|time| since(self, time.resolve(now)));
                let _ = to.map(|time| before(self, time.resolve(now)));
            }
            // A row is recorded after its search, but perhaps long after it.
            (Sense::Is, Test::Time(Stamp::Searched, TimeRange { from: Some(time), .. })) => {
                since(self, time.resolve(now));
            }
            (Sense::IsNot, Test::Time(Stamp::Recorded, TimeRange { from: Some(time), to: None })) => {
                before(self, time.resolve(now));
            }
            (Sense::IsNot, Test::Time(_, TimeRange { from: None, to: Some(time) })) => since(self, time.resolve(now)),
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
            Test::Receipt(Receipt(receipt)) => write!(f, "receipt:{receipt}"),
            Test::Time(stamp, range) => range.write(*stamp, f),
        }
    }
}

impl TimeRange {
    fn write(self, stamp: Stamp, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (stamp, self.from, self.to) {
            (Stamp::Searched, Some(from), None) => return write!(f, "since:{from}"),
            (Stamp::Searched, None, Some(to)) => return write!(f, "before:{to}"),
            _ => write!(f, "{}:", stamp.key())?,
        }
        self.from.map_or(Ok(()), |from| write!(f, "{from}"))?;
        f.write_str("..")?;
        self.to.map_or(Ok(()), |to| write!(f, "<{to}"))
    }
}

/// Puts `text` in quotes, unless it certainly parses as itself without them.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '%');
    if !text.is_empty() && text.chars().all(is_plain) && !lexer::is_operator(text) {
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
