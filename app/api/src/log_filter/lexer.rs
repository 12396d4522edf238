//! A filter's text, taken apart into terms.

use std::iter::Peekable;
use std::ops::Range;
use std::str::Chars;

use super::{FilterError, FilterKey, Sense};

/// A term as it is written.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) sense: Sense,
    pub(super) key: Option<FilterKey>,
    /// Where the `~` before the value stands, if there is one.
    pub(super) tilde: Option<usize>,
    pub(super) value: String,
    /// The characters that the value takes, with its quotes.
    pub(super) at: Range<usize>,
}

/// The terms of `text`.
pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut reader = Reader { rest: text.chars().peekable(), at: 0 };
    let mut words = Vec::new();
    while reader.skip_space() {
        words.push(reader.word()?);
    }
    Ok(words)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    /// How many characters have been read.
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        self.rest.next().inspect(|_| self.at += 1)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).inspect(|_| self.at += 1).is_some()
    }

    /// Whether there is something behind the space.
    fn skip_space(&mut self) -> bool {
        while self.rest.next_if(|character| character.is_whitespace()).is_some() {
            self.at += 1;
        }
        self.rest.peek().is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.rest.peek().is_none_or(|character| character.is_whitespace())
    }

    fn word(&mut self) -> Result<Word, FilterError> {
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
        Ok(Word { sense, key, tilde, value, at: start..self.at })
    }

    /// A minus that stands alone is a text.
    fn sense(&mut self) -> Sense {
        let mut ahead = self.rest.clone();
        let turns = ahead.next() == Some('-') && ahead.next().is_some_and(|character| !character.is_whitespace());
        if turns {
            self.next();
            Sense::IsNot
        } else {
            Sense::Is
        }
    }

    /// The name before a colon, which is read with it. What begins like an address, of a machine or of a page, is a
    /// text; any other name that is not known may be a slip.
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

    /// The rest of a value that began with a quote at `start`. In there, a backslash stands before a quote and before
    /// another backslash; before anything else it is itself.
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
