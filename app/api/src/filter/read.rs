//! Reads the values of terms: times, numbers, receipts.

use std::fmt;

use super::error::FilterError;
use super::key::{FilterKey, FilterList};
use super::lexer::{Token, tokens};
use crate::{LogPeriod, LogTime, Receipt, SearchId, TimeMs, TimeZone};

/// The times of a log row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Searched,
    Recorded,
}

/// From `from` up to, but not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) from: Option<LogTime>,
    pub(super) to: Option<LogTime>,
}

impl TimeRange {
    pub(super) fn contains(self, at: TimeMs, now: TimeMs) -> bool {
        self.from.is_none_or(|from| at >= from.resolve(now)) && self.to.is_none_or(|to| at < to.resolve(now))
    }

    pub(super) fn write(self, stamp: Stamp, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (stamp, self.from, self.to) {
            (Stamp::Searched, Some(from), None) => return write!(f, "since:{from}"),
            (Stamp::Searched, None, Some(to)) => return write!(f, "before:{to}"),
            (Stamp::Searched, ..) => f.write_str("searched:")?,
            (Stamp::Recorded, ..) => f.write_str("recorded:")?,
        }
        self.from.map_or(Ok(()), |from| write!(f, "{from}"))?;
        f.write_str("..")?;
        self.to.map_or(Ok(()), |to| write!(f, "<{to}"))
    }
}

/// A term that compares times, as it stands in a filter.
struct TimeTerm(Stamp, TimeRange);

impl fmt::Display for TimeTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.write(self.0, f)
    }
}

/// The filter with its times as UTC, so that it means the same to people in other zones. Everything else stays as it is
/// written. A text that is no filter of this list is returned unchanged.
pub fn with_absolute_times(text: &str, list: FilterList, zone: &dyn TimeZone) -> String {
    /// An hour ahead of the other zone.
    struct Later<'a>(&'a dyn TimeZone);
    impl TimeZone for Later<'_> {
        fn offset_ms(&self, at: TimeMs) -> i64 {
            self.0.offset_ms(at) + 3_600_000
        }
    }
    let characters: Vec<char> = text.chars().collect();
    let mut absolute = String::new();
    let mut copied = 0;
    for token in tokens(text, list).unwrap_or_default() {
        let at = token.at.clone();
        let Some(key) = token.key.filter(|key| key.is_time() && token.tilde.is_none()) else { continue };
        let (Some(here), later) = (times(key, &token.value, zone), times(key, &token.value, &Later(zone))) else {
            return text.to_owned();
        };
        if later != Some(here) {
            let term = TimeTerm(here.0, here.1).to_string();
            let value = term.split_once(':').map_or("", |(_, value)| value);
            absolute.extend(&characters[copied..at.start]);
            absolute.push_str(value);
            copied = at.end;
        }
    }
    absolute.extend(&characters[copied..]);
    absolute
}

/// Reads a term that compares times.
pub(super) fn time_term(key: FilterKey, token: &Token, zone: &dyn TimeZone) -> Result<(Stamp, TimeRange), FilterError> {
    if matches!(key, FilterKey::Since | FilterKey::Before) {
        return whole(token, LogPeriod::FORMS, |text| times(key, text, zone));
    }
    if token.tilde.is_none() && is_backwards(&token.value, zone) {
        let message = "This range ends before it begins: the earlier time comes first.";
        return Err(FilterError::new(token.at.clone(), message));
    }
    let form = format!("{}, or two of them with .. in between", LogPeriod::FORMS);
    whole(token, &form, |text| times(key, text, zone))
}

/// Which search is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Search(SearchId),
    /// Only the server knows which search that is.
    Receipt(Receipt),
}

impl Asked {
    /// Names the search of a receipt.
    pub(super) fn look_up(&mut self, search_of: impl Fn(&Receipt) -> Option<SearchId>) {
        if let Self::Receipt(receipt) = self
            && let Some(id) = search_of(receipt)
        {
            *self = Self::Search(id);
        }
    }

    /// Whether this is asked for. A receipt that was not looked up is that of no search.
    pub(super) fn is(&self, id: SearchId) -> bool {
        matches!(self, Self::Search(asked) if *asked == id)
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Search(id) => id.to_string(),
            Self::Receipt(Receipt(receipt)) => receipt.clone(),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search(id) => write!(f, "search:{id}"),
            Self::Receipt(Receipt(receipt)) => write!(f, "receipt:{receipt}"),
        }
    }
}

/// Reads the term of a search's id or receipt. A receipt's place may also hold the search's id.
pub(super) fn asked(key: FilterKey, token: &Token) -> Result<Asked, FilterError> {
    let id = |text: &str| text.parse::<SearchId>().ok().map(Asked::Search);
    if key == FilterKey::Search {
        return whole(token, "a search's id, of 26 letters and digits", id);
    }
    whole(token, "a receipt, of 32 digits and letters from a to f", |text| {
        let receipt = || is_receipt(text).then(|| Asked::Receipt(Receipt(text.to_ascii_lowercase())));
        receipt().or_else(|| id(text))
    })
}

/// Whether `text` has the shape of a receipt.
pub(super) fn is_receipt(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the value of a term that compares times.
fn times(key: FilterKey, text: &str, zone: &dyn TimeZone) -> Option<(Stamp, TimeRange)> {
    let text = &text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = |text: &str| LogPeriod::parse(text, zone).map(|period| period.start);
    Some(match key {
        FilterKey::Since => (Stamp::Searched, TimeRange { from: Some(start(text)?), to: None }),
        FilterKey::Before => (Stamp::Searched, TimeRange { from: None, to: Some(start(text)?) }),
        FilterKey::Searched => (Stamp::Searched, range(text, zone)?),
        FilterKey::Recorded => (Stamp::Recorded, range(text, zone)?),
        _ => return None,
    })
}

/// Reads `TIME`, `FROM..TO`, `FROM..`, `..TO` or `..<TO`. A time lasts as long as its smallest part, and how long ago
/// until now. The second one is included, unless `<` precedes it.
fn range(text: &str, zone: &dyn TimeZone) -> Option<TimeRange> {
    let Some((from, to)) = text.split_once("..").map(|(from, to)| (from.trim_end(), to.trim_start())) else {
        let LogPeriod { start, end } = LogPeriod::parse(text, zone)?;
        return Some(TimeRange { from: Some(start), to: (start != end).then_some(end) });
    };
    let from = if from.is_empty() { None } else { Some(LogPeriod::parse(from, zone)?.start) };
    let to = match to.strip_prefix('<') {
        Some(to) => Some(LogPeriod::parse(to.trim_start(), zone)?.start),
        None if to.is_empty() => None,
        None => Some(LogPeriod::parse(to, zone)?.end),
    };
    (from.is_some() || to.is_some()).then_some(TimeRange { from, to })
}

/// Whether no time can be in the range, whenever it is read.
fn is_backwards(text: &str, zone: &dyn TimeZone) -> bool {
    let Some((_, TimeRange { from: Some(from), to: Some(to) })) = times(FilterKey::Searched, text, zone) else {
        return false;
    };
    let is_same_form =
        matches!((from, to), (LogTime::At(_), LogTime::At(_)) | (LogTime::Ago { .. }, LogTime::Ago { .. }));
    is_same_form && from.resolve(TimeMs(0)) >= to.resolve(TimeMs(0))
}

/// A value that can only be compared as a whole.
pub(super) fn whole<T>(token: &Token, form: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, FilterError> {
    match token.tilde {
        Some(at) => {
            let key = token.key.map_or("", FilterKey::as_str);
            Err(FilterError::new(at..at + 1, format!("“{key}:” takes no ~: there are no parts of it.")))
        }
        None => read(&token.value).ok_or_else(|| FilterError::new(token.at.clone(), format!("Here belongs {form}."))),
    }
}

/// A number: digits, with an optional # and a comma before each three, as on the page.
pub(super) fn number(text: &str) -> Option<i64> {
    let mut groups = text.strip_prefix('#').unwrap_or(text).split(',').peekable();
    let first = groups.next()?;
    let is_grouped = groups.peek().is_none() || (1..=3).contains(&first.len());
    let digits = groups.try_fold(first.to_owned(), |digits, group| (group.len() == 3).then(|| digits + group))?;
    let is_number = is_grouped && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}
