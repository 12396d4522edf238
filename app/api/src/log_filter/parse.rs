//! Parses the text of a filter.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::compare::{Network, NotANetwork};
use super::lexer::{Token, tokens};
use super::{Column, LogFilter, Stamp, Term, Test, TimeRange};
use crate::{ApiError, ErrorCode, LogPeriod, LogSeq, LogTime, Receipt, SearchId, TimeMs, TimeZone, Utc};

/// More terms than people write, but few enough to compare each row with all of them quickly.
const MAX_TERMS: usize = 32;
/// A filter stands in addresses, where a character takes up to 12 bytes. 64 KiB are read of an address.
const MAX_CHARACTERS: usize = 4_000;

impl LogFilter {
    /// Reads a filter. Times without an offset are in `zone`.
    pub fn parse(text: &str, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        let tokens = tokens(text)?;
        if let Some(first_beyond) = tokens.get(MAX_TERMS) {
            let message = format!("A filter has at most {MAX_TERMS} terms.");
            return Err(FilterError::new(first_beyond.at.clone(), message));
        }
        let mut left = MAX_CHARACTERS;
        // Times and quotes do not count: in addresses they are longer than they were typed.
        for Token { value, at, .. } in tokens.iter().filter(|token| !token.key.is_some_and(FilterKey::is_time)) {
            let length = value.chars().count();
            if length > left {
                let message = format!("A filter looks for at most {MAX_CHARACTERS} characters.");
                return Err(FilterError::new(at.start + left..at.end, message));
            }
            left -= length;
        }
        let terms = tokens.into_iter().map(|token| Ok(Term { sense: token.sense, test: test(token, zone)? }));
        Ok(Self { terms: terms.collect::<Result<_, FilterError>>()? })
    }
}

/// Reads a filter whose times are absolute. Without an offset, they are UTC.
impl FromStr for LogFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text, &Utc)
    }
}

/// The filter with its times as UTC, so that it means the same to people in other zones. Everything else stays as it is
/// written. A text that is no filter is returned unchanged.
pub fn with_absolute_times(text: &str, zone: &dyn TimeZone) -> String {
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
    for token in tokens(text).unwrap_or_default() {
        let (at, sense) = (token.at.clone(), token.sense);
        let Some(key) = token.key.filter(|key| key.is_time() && token.tilde.is_none()) else { continue };
        let (Some(here), later) = (times(key, &token.value, zone), times(key, &token.value, &Later(zone))) else {
            return text.to_owned();
        };
        if later != Some(here.clone()) {
            let term = Term { sense, test: here }.to_string();
            let value = term.split_once(':').map_or("", |(_, value)| value);
            absolute.extend(&characters[copied..at.start]);
            absolute.push_str(value);
            copied = at.end;
        }
    }
    absolute.extend(&characters[copied..]);
    absolute
}

/// Why a text is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {})", at.start + 1)]
pub struct FilterError {
    /// The wrong characters, counted from 0. An empty range if something is missing there.
    pub at: Range<usize>,
    /// One sentence for display.
    pub message: String,
    /// The field that the wrong characters were probably meant to name. `message` asks with [`FilterKey::question`].
    pub meant: Option<FilterKey>,
}

impl FilterError {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), meant: None }
    }

    /// `text`, in which this error is, with the field that was probably meant.
    pub fn corrected(&self, text: &str) -> Option<String> {
        let key = self.meant?.as_str();
        let before = text.chars().take(self.at.start);
        Some(before.chain(key.chars()).chain(text.chars().skip(self.at.end)).collect())
    }

    /// The response to a request with this error in its parameter `field`.
    pub fn in_field(&self, field: &str) -> ApiError {
        ApiError::at(ErrorCode::Invalid, field, self.to_string())
    }
}

text_enum! {
    /// The names before the colons.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FilterKey {
        Phrase = "phrase",
        Letters = "letters",
        Results = "results",
        Ip = "ip",
        Browser = "browser",
        Agent = "agent",
        Since = "since",
        Before = "before",
        Searched = "searched",
        Recorded = "recorded",
        Row = "row",
        Search = "search",
        Receipt = "receipt",
    }
}

impl FilterKey {
    /// Asks whether this field was meant.
    pub fn question(self) -> String {
        format!("Did you mean “{}:”?", self.as_str())
    }

    /// An example term with this key.
    pub fn example(self) -> &'static str {
        match self {
            Self::Phrase => "phrase:~hello",
            Self::Letters => "letters:aeiou",
            Self::Results => "results:~e",
            Self::Ip => "ip:10.0.0.0/8",
            Self::Browser => "browser:firefox",
            Self::Agent => "agent:~mobile",
            Self::Since => "since:1h",
            Self::Before => "before:2026-11-22 08:05",
            Self::Searched => "searched:2026-11-22",
            Self::Recorded => "recorded:2026-11-20..2026-11-22",
            Self::Row => "row:48211",
            Self::Search => "search:01ARZ3…",
            Self::Receipt => "receipt:0123…",
        }
    }

    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Since | Self::Before | Self::Searched | Self::Recorded)
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| name.eq_ignore_ascii_case(key.as_str()))
    }
}

fn test(token: Token, zone: &dyn TimeZone) -> Result<Test, FilterError> {
    let Some(key) = token.key else { return Ok(Test::Anywhere(token.value)) };
    match key {
        FilterKey::Phrase => Ok(text(Column::Phrase, token)),
        FilterKey::Letters => Ok(text(Column::Letters, token)),
        FilterKey::Browser => Ok(text(Column::Browser, token)),
        FilterKey::Agent => Ok(text(Column::Agent, token)),
        FilterKey::Results => {
            let letters: BTreeSet<char> = token.value.chars().collect();
            Ok(if token.tilde.is_some() { Test::FoundAmong(letters) } else { Test::Found(letters) })
        }
        FilterKey::Ip if token.tilde.is_some() => Ok(text(Column::Ip, token)),
        FilterKey::Ip => network(&token),
        FilterKey::Row => whole(&token, "a row's number, like 48211", |text| number(text).map(Test::Row)),
        FilterKey::Search => whole(&token, "a search's id, of 26 letters and digits", |text| {
            text.parse().ok().map(|id: SearchId| Test::Search(id))
        }),
        FilterKey::Receipt => whole(&token, "a receipt, of 32 digits and letters from a to f", receipt),
        FilterKey::Since | FilterKey::Before => whole(&token, LogPeriod::FORMS, |text| times(key, text, zone)),
        FilterKey::Searched | FilterKey::Recorded => {
            if token.tilde.is_none() && is_backwards(&token.value, zone) {
                return Err(FilterError::new(
                    token.at,
                    "This range ends before it begins: the earlier time comes first.",
                ));
            }
            let form = format!("{}, or two of them with .. in between", LogPeriod::FORMS);
            whole(&token, &form, |text| times(key, text, zone))
        }
    }
}

/// Reads a receipt, or the id of its search.
fn receipt(text: &str) -> Option<Test> {
    let receipt = || is_receipt(text).then(|| Test::Receipt(Receipt(text.to_ascii_lowercase())));
    receipt().or_else(|| text.parse().ok().map(Test::Search))
}

/// Whether `text` has the shape of a receipt.
pub(super) fn is_receipt(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the value of a term that compares times.
fn times(key: FilterKey, text: &str, zone: &dyn TimeZone) -> Option<Test> {
    let text = &text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = |text: &str| LogPeriod::parse(text, zone).map(|period| period.start);
    let (stamp, range) = match key {
        FilterKey::Since => (Stamp::Searched, TimeRange { from: Some(start(text)?), to: None }),
        FilterKey::Before => (Stamp::Searched, TimeRange { from: None, to: Some(start(text)?) }),
        FilterKey::Searched => (Stamp::Searched, range(text, zone)?),
        FilterKey::Recorded => (Stamp::Recorded, range(text, zone)?),
        _ => return None,
    };
    Some(Test::Time(stamp, range))
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
    let Some(Test::Time(_, TimeRange { from: Some(from), to: Some(to) })) = times(FilterKey::Searched, text, zone)
    else {
        return false;
    };
    let is_same_form =
        matches!((from, to), (LogTime::At(_), LogTime::At(_)) | (LogTime::Ago { .. }, LogTime::Ago { .. }));
    is_same_form && from.resolve(TimeMs(0)) >= to.resolve(TimeMs(0))
}

fn text(column: Column, token: Token) -> Test {
    match token.tilde {
        Some(_) => Test::Part(column, token.value),
        None => Test::Whole(column, token.value),
    }
}

fn network(token: &Token) -> Result<Test, FilterError> {
    Network::parse(&token.value).map(Test::Address).map_err(|error| {
        let message = match error {
            NotANetwork::Address => {
                "This is no address and no network, like 10.1.2.3 or 10.0.0.0/8. For a part of an address write ip:~10.1."
                    .to_owned()
            }
            NotANetwork::Prefix { longest } => format!("After the slash comes a number of bits, from 0 to {longest}."),
        };
        FilterError::new(token.at.clone(), message)
    })
}

/// A value that can only be compared as a whole.
fn whole(token: &Token, form: &str, read: impl FnOnce(&str) -> Option<Test>) -> Result<Test, FilterError> {
    match token.tilde {
        Some(at) => {
            let key = token.key.map_or("", FilterKey::as_str);
            Err(FilterError::new(at..at + 1, format!("“{key}:” takes no ~: there are no parts of it.")))
        }
        None => read(&token.value).ok_or_else(|| FilterError::new(token.at.clone(), format!("Here belongs {form}."))),
    }
}

/// A row's number: digits, with an optional # and a comma before each three, as on the page.
pub(super) fn number(text: &str) -> Option<LogSeq> {
    let mut groups = text.strip_prefix('#').unwrap_or(text).split(',').peekable();
    let first = groups.next()?;
    let is_grouped = groups.peek().is_none() || (1..=3).contains(&first.len());
    let digits = groups.try_fold(first.to_owned(), |digits, group| (group.len() == 3).then(|| digits + group))?;
    let is_number = is_grouped && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(LogSeq)).flatten()
}

/// A position in the log to go to: a row's number, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPosition {
    Row(LogSeq),
    Time(LogTime),
}

impl LogPosition {
    /// Reads a position. A time without an offset is in `zone`.
    pub fn parse(text: &str, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        let written = text.trim();
        let row = number(written).map(Self::Row);
        row.or_else(|| LogPeriod::parse(written, zone).map(|period| Self::Time(period.start))).ok_or_else(|| {
            let message = format!("Here belongs a row's number, {}.", LogPeriod::FORMS);
            FilterError::new(0..text.chars().count(), message)
        })
    }
}

/// Reads a position whose time is absolute. Without an offset, it is UTC.
impl FromStr for LogPosition {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text, &Utc)
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(seq) => seq.0.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}
