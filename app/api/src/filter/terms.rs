//! What the filters of all lists are: terms that must all hold.

use std::fmt;

use super::error::FilterError;
use super::key::{FilterKey, FilterList};
use super::lexer::{Token, is_operator, tokens};
use crate::{TimeMs, TimeZone};

/// More terms than people write, but few enough to compare each row with all of them quickly.
const MAX_TERMS: usize = 32;
/// A filter stands in addresses, where a character takes up to 12 bytes. 64 KiB are read of an address.
const MAX_CHARACTERS: usize = 4_000;

/// What a term of a list compares.
pub(super) trait Test: Sized + fmt::Display {
    const LIST: FilterList;
    type Row<'a>;

    /// Reads a term. Times without an offset are in `zone`.
    fn read(token: Token, zone: &dyn TimeZone) -> Result<Self, FilterError>;

    fn matches(&self, row: &Self::Row<'_>, now: TimeMs) -> bool;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms<T>(pub(super) Vec<Term<T>>);

impl<T> Default for Terms<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term<T> {
    pub(super) sense: Sense,
    pub(super) test: T,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Is,
    IsNot,
}

impl<T: Test> Terms<T> {
    pub(super) fn parse(text: &str, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        let tokens = tokens(text, T::LIST)?;
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
        let terms = tokens.into_iter().map(|token| Ok(Term { sense: token.sense, test: T::read(token, zone)? }));
        Ok(Self(terms.collect::<Result<_, FilterError>>()?))
    }

    pub(super) fn matches(&self, row: &T::Row<'_>, now: TimeMs) -> bool {
        self.0.iter().all(|Term { sense, test }| test.matches(row, now) == (*sense == Sense::Is))
    }

    /// What the rows must be, without what they must not be.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter(|term| term.sense == Sense::Is).map(|term| &term.test)
    }
}

/// Displays a text that parses as the same terms.
impl<T: fmt::Display> fmt::Display for Terms<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Term { sense, test }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            if *sense == Sense::IsNot {
                f.write_str("-")?;
            }
            test.fmt(f)?;
        }
        Ok(())
    }
}

/// Puts `text` in quotes, unless it certainly parses as itself without them.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '%');
    if !text.is_empty() && text.chars().all(is_plain) && !is_operator(text) {
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
