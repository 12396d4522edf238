//! The log's filter, and which rows it matches.
//!
//! Pages, events and exports all filter rows with this code, on either database. A store gets only [`LogBounds`], which
//! its indexes can answer.

use std::fmt;
use std::str::FromStr;

use super::error::FilterError;
use super::key::{FilterKey, FilterList};
use super::lexer::Token;
use super::read::{Asked, Stamp, TimeRange, asked, number, time_term, whole};
use super::search::{SearchTest, is_anywhere};
use super::terms::{Sense, Term, Terms, Test, quoted};
use crate::{LogRow, LogSeq, Receipt, SearchId, TimeMs, TimeZone, Utc};

/// Matches the rows for which all terms hold. Without terms, it matches all rows.
///
/// Written as `phrase:~hello -browser:firefox since:2d "free text"`. `field:text` compares the whole field,
/// `field:~text` finds the text within it, and a text without a field is found within any field. Only ASCII letters
/// ignore case. There are no wildcards. A minus before a term negates it. What has no meaning in this grammar is an
/// error: it is not read as a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter(pub(super) Terms<LogTest>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogTest {
    /// Part of any text of the row.
    Anywhere(String),
    Text(SearchTest),
    Row(LogSeq),
    /// Which search a receipt belongs to is only known to the server: see [`LogFilter::with_searches`].
    Asked(Asked),
    Time(Stamp, TimeRange),
}

impl LogFilter {
    /// Reads a filter. Times without an offset are in `zone`.
    pub fn parse(text: &str, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        Terms::parse(text, zone).map(Self)
    }

    /// Matches the rows that contain `text` in any field.
    pub fn anywhere(text: impl Into<String>) -> Self {
        let text = text.into();
        let term = Term { sense: Sense::Is, test: LogTest::Anywhere(text.clone()) };
        Self(Terms(if text.is_empty() { vec![] } else { vec![term] }))
    }

    pub fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }

    /// Names the searches of receipts, without which no row matches a receipt.
    pub fn with_searches(mut self, search_of: impl Fn(&Receipt) -> Option<SearchId>) -> Self {
        for Term { test, .. } in &mut self.0.0 {
            if let LogTest::Asked(asked) = test {
                asked.look_up(&search_of);
            }
        }
        self
    }

    /// The search's id, or the receipt, if the filter asks for a certain search.
    pub fn asked_search(&self) -> Option<String> {
        self.0.wanted().find_map(|test| match test {
            LogTest::Asked(asked) => Some(asked.text()),
            _ => None,
        })
    }

    /// Whether `row` matches at the time `now`.
    pub fn matches(&self, row: &LogRow, now: TimeMs) -> bool {
        self.0.matches(row, now)
    }
}

/// Reads a filter whose times are absolute. Without an offset, they are UTC.
impl FromStr for LogFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text, &Utc)
    }
}

/// Displays a text that parses as the same filter.
impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Test for LogTest {
    const LIST: FilterList = FilterList::Log;
    type Row<'a> = LogRow;

    fn read(token: Token, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        let Some(key) = token.key else { return Ok(Self::Anywhere(token.value)) };
        Ok(match key {
            FilterKey::Row => Self::Row(LogSeq(whole(&token, "a row's number, like 48211", number)?)),
            FilterKey::Search | FilterKey::Receipt => Self::Asked(asked(key, &token)?),
            _ if key.is_time() => {
                let (stamp, range) = time_term(key, &token, zone)?;
                Self::Time(stamp, range)
            }
            _ => Self::Text(SearchTest::read(key, token)?),
        })
    }

    fn matches(&self, row: &LogRow, now: TimeMs) -> bool {
        match self {
            Self::Anywhere(text) => is_anywhere(&row.into(), text),
            Self::Text(test) => test.matches(&row.into()),
            Self::Row(seq) => row.seq == *seq,
            Self::Asked(asked) => asked.is(row.search_id),
            Self::Time(Stamp::Searched, range) => range.contains(row.searched_at, now),
            Self::Time(Stamp::Recorded, range) => range.contains(row.recorded_at, now),
        }
    }
}

impl fmt::Display for LogTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anywhere(text) => f.write_str(&quoted(text)),
            Self::Text(test) => test.fmt(f),
            Self::Row(seq) => write!(f, "row:{}", seq.0),
            Self::Asked(asked) => asked.fmt(f),
            Self::Time(stamp, range) => range.write(*stamp, f),
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

    fn narrow(&mut self, term: &Term<LogTest>, now: TimeMs) {
        let since = |bounds: &mut Self, time| bounds.since = bounds.since.max(Some(time));
        let before = |bounds: &mut Self, time: TimeMs| {
            bounds.before = Some(bounds.before.map_or(time, |before| before.min(time)));
        };
        match (term.sense, &term.test) {
            (Sense::Is, LogTest::Row(seq)) => {
                self.first = self.first.max(*seq);
                self.last = self.last.min(*seq);
            }
            // With two different ids no row matches, so either one is a valid bound.
            (Sense::Is, LogTest::Asked(Asked::Search(id))) => self.search = Some(*id),
            (Sense::Is, LogTest::Time(Stamp::Recorded, TimeRange { from, to })) => {
                let _ = from.map(|time| since(self, time.resolve(now)));
                let _ = to.map(|time| before(self, time.resolve(now)));
            }
            // A row is recorded after its search, but perhaps long after it.
            (Sense::Is, LogTest::Time(Stamp::Searched, TimeRange { from: Some(time), .. })) => {
                since(self, time.resolve(now));
            }
            (Sense::IsNot, LogTest::Time(Stamp::Recorded, TimeRange { from: Some(time), to: None })) => {
                before(self, time.resolve(now));
            }
            (Sense::IsNot, LogTest::Time(_, TimeRange { from: None, to: Some(time) })) => {
                since(self, time.resolve(now))
            }
            _ => {}
        }
    }
}

impl LogFilter {
    /// The bounds at the time `now`.
    pub fn bounds(&self, now: TimeMs) -> LogBounds {
        let mut bounds = LogBounds::NONE;
        for term in &self.0.0 {
            bounds.narrow(term, now);
        }
        bounds
    }
}
