//! Parses the text of a filter.

use std::collections::BTreeSet;
use std::fmt;
use std::iter::Peekable;
use std::ops::Range;
use std::str::{Chars, FromStr};

use super::compare::{Network, NotANetwork};
use super::{Column, LogFilter, Sense, Term, Test};
use crate::{ApiError, ErrorCode, LogSeq, LogTime, SearchId};

/// More terms than people write, but few enough to compare each row with all of them quickly.
const MAX_TERMS: usize = 32;
/// A filter stands in addresses, where a character takes up to 12 bytes. 64 KiB are read of an address.
const MAX_CHARACTERS: usize = 4_000;

impl FromStr for LogFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let length = text.chars().count();
        if length > MAX_CHARACTERS {
            let message = format!("A filter has at most {MAX_CHARACTERS} characters, and this one has {length}.");
            return Err(FilterError::new(MAX_CHARACTERS..length, message));
        }
        let tokens = tokens(text)?;
        if let Some(first_beyond) = tokens.get(MAX_TERMS) {
            let message = format!("A filter has at most {MAX_TERMS} terms.");
            return Err(FilterError::new(first_beyond.at.clone(), message));
        }
        let terms = tokens.into_iter().map(|token| Ok(Term { sense: token.sense, test: test(token)? }));
        Ok(Self { terms: terms.collect::<Result<_, FilterError>>()? })
    }
}

/// Why a text is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {})", at.start + 1)]
pub struct FilterError {
    /// The wrong characters, counted from 0. An empty range if something is missing there.
    pub at: Range<usize>,
    /// One sentence for display.
    pub message: String,
}

impl FilterError {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
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
        Row = "row",
        Search = "search",
    }
}

impl FilterKey {
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
            Self::Before => "before:2026-11-22T08:05Z",
            Self::Row => "row:48211",
            Self::Search => "search:01ARZ3NDEKTSV4RRFFQ69G5FAV",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| name.eq_ignore_ascii_case(key.as_str()))
    }
}

fn test(token: Token) -> Result<Test, FilterError> {
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
        FilterKey::Since => whole(&token, LogTime::FORMS, |text| LogTime::parse(text).map(Test::Since)),
        FilterKey::Before => whole(&token, LogTime::FORMS, |text| LogTime::parse(text).map(Test::Before)),
    }
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

/// A row's number: digits, with an optional # and commas, as on the page.
fn number(text: &str) -> Option<LogSeq> {
    let digits = text.strip_prefix('#').unwrap_or(text).replace(',', "");
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(LogSeq)).flatten()
}

/// A term as written.
#[derive(Debug)]
struct Token {
    sense: Sense,
    key: Option<FilterKey>,
    /// The position of the `~` before the value, if there is one.
    tilde: Option<usize>,
    value: String,
    /// The characters of the value, including its quotes.
    at: Range<usize>,
}

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut lexer = Lexer { rest: text.chars().peekable(), at: 0 };
    let mut tokens = Vec::new();
    while lexer.skip_space() {
        tokens.push(lexer.token()?);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    /// How many characters have been read.
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        self.rest.next().inspect(|_| self.at += 1)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).inspect(|_| self.at += 1).is_some()
    }

    /// Whether text follows the space.
    fn skip_space(&mut self) -> bool {
        while self.rest.next_if(|character| character.is_whitespace()).is_some() {
            self.at += 1;
        }
        self.rest.peek().is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.rest.peek().is_none_or(|character| character.is_whitespace())
    }

    fn token(&mut self) -> Result<Token, FilterError> {
        let sense = self.sense();
        let key = self.key()?;
        let tilde = (key.is_some() && self.rest.peek() == Some(&'~')).then_some(self.at);
        if tilde.is_some() {
            self.next();
        }
        let start = self.at;
        if key.is_some() && self.is_at_end() {
            let key = key.map_or("", FilterKey::as_str);
            return Err(FilterError::new(start..start, format!("A value is missing after “{key}:”.")));
        }
        let value = if self.next_if('"') { self.quoted(start)? } else { self.bare() };
        Ok(Token { sense, key, tilde, value, at: start..self.at })
    }

    /// Reads a minus that negates a term. A minus alone is a text.
    fn sense(&mut self) -> Sense {
        let mut ahead = self.rest.clone();
        let is_negated = ahead.next() == Some('-') && ahead.next().is_some_and(|character| !character.is_whitespace());
        if is_negated {
            self.next();
            Sense::IsNot
        } else {
            Sense::Is
        }
    }

    /// Reads a key and its colon. The start of an IPv6 address or a URL is not a key. Any other unknown name is an
    /// error, because it may be a typo.
    fn key(&mut self) -> Result<Option<FilterKey>, FilterError> {
        let start = self.at;
        let mut ahead = self.rest.clone();
        let mut name = String::new();
        while let Some(letter) = ahead.next_if(|character| character.is_ascii_alphabetic() || *character == '_') {
            name.push(letter);
        }
        if name.is_empty() || ahead.next() != Some(':') {
            return Ok(None);
        }
        let Some(key) = FilterKey::of(&name) else {
            let is_address = ahead.peek() == Some(&':') || (ahead.next() == Some('/') && ahead.next() == Some('/'));
            return if is_address { Ok(None) } else { Err(unknown(start, &name)) };
        };
        self.at += name.len() + 1;
        self.rest = ahead;
        Ok(Some(key))
    }

    fn bare(&mut self) -> String {
        let mut value = String::new();
        while let Some(character) = self.rest.next_if(|character| !character.is_whitespace()) {
            self.at += 1;
            value.push(character);
        }
        value
    }

    /// Reads the rest of a value that began with a quote at `start`. A backslash escapes a quote or another backslash.
    /// Before any other character it is literal.
    fn quoted(&mut self, start: usize) -> Result<String, FilterError> {
        let mut value = String::new();
        loop {
            match self.next() {
                None => return Err(FilterError::new(start..start + 1, "This quote has no end.")),
                Some('"') if self.is_at_end() => return Ok(value),
                Some('"') => {
                    let message = "After the end of a quote comes a space. A quote within it is written as \\\".";
                    return Err(FilterError::new(self.at - 1..self.at, message));
                }
                Some('\\') if matches!(self.rest.peek(), Some('"' | '\\')) => value.extend(self.next()),
                Some(character) => value.push(character),
            }
        }
    }
}

fn unknown(start: usize, name: &str) -> FilterError {
    let known = FilterKey::ALL.map(FilterKey::as_str).join(", ");
    let message = format!(
        "There is no field “{}”. There are {known}. To look for this text, put it in quotes.",
        crate::error::echo(name)
    );
    FilterError::new(start..start + name.len(), message)
}

/// A position in the log to go to: a row's number, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPosition {
    Row(LogSeq),
    Time(LogTime),
}

impl FromStr for LogPosition {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let written = text.trim();
        let row = number(written).map(Self::Row);
        row.or_else(|| LogTime::parse(written).map(Self::Time)).ok_or_else(|| {
            let message = format!("Here belongs a row's number, {}.", LogTime::FORMS);
            FilterError::new(0..text.chars().count(), message)
        })
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
