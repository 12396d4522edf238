//! From a text to a filter.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::address::{Network, NotANetwork};
use super::lexer::{Word, words};
use super::{Column, FilterError, FilterKey, LogFilter, Point, Term, Test};
use crate::{LogSeq, SearchId};

/// More than a person writes, and few enough that comparing a row with all of them takes no time worth noting.
const MOST_TERMS: usize = 32;

impl FromStr for LogFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let words = words(text)?;
        if let Some(first_beyond) = words.get(MOST_TERMS) {
            let message = format!("A filter has at most {MOST_TERMS} terms.");
            return Err(FilterError::new(first_beyond.at.clone(), message));
        }
        let terms = words.into_iter().map(|word| Ok(Term { sense: word.sense, test: test(word)? }));
        Ok(Self { terms: terms.collect::<Result<_, FilterError>>()? })
    }
}

fn test(word: Word) -> Result<Test, FilterError> {
    let Some(key) = word.key else { return Ok(Test::Anywhere(word.value)) };
    match key {
        FilterKey::Phrase => Ok(of_text(Column::Phrase, word)),
        FilterKey::Letters => Ok(of_text(Column::Letters, word)),
        FilterKey::Browser => Ok(of_text(Column::Browser, word)),
        FilterKey::Agent => Ok(of_text(Column::Agent, word)),
        FilterKey::Results => {
            let letters: BTreeSet<char> = word.value.chars().collect();
            Ok(if word.tilde.is_some() { Test::FoundAmong(letters) } else { Test::Found(letters) })
        }
        FilterKey::Ip if word.tilde.is_some() => Ok(of_text(Column::Ip, word)),
        FilterKey::Ip => network(&word),
        FilterKey::Row => whole(&word, "a row's number, like 48211", |text| number(text).map(Test::Row)),
        FilterKey::Search => whole(&word, "a search's id, of 26 letters and digits", |text| {
            text.parse().ok().map(|id: SearchId| Test::Search(id))
        }),
        FilterKey::Since => whole(&word, Point::FORMS, |text| Point::parse(text).map(Test::Since)),
        FilterKey::Before => whole(&word, Point::FORMS, |text| Point::parse(text).map(Test::Before)),
    }
}

fn of_text(column: Column, word: Word) -> Test {
    match word.tilde {
        Some(_) => Test::Part(column, word.value),
        None => Test::Whole(column, word.value),
    }
}

fn network(word: &Word) -> Result<Test, FilterError> {
    Network::parse(&word.value).map(Test::Address).map_err(|error| {
        let message = match error {
            NotANetwork::Address => {
                "This is no address and no network, like 10.1.2.3 or 10.0.0.0/8. For a part of an address write ip:~10.1."
                    .to_owned()
            }
            NotANetwork::Prefix { longest } => format!("After the slash comes a number of bits, from 0 to {longest}."),
        };
        FilterError::new(word.at.clone(), message)
    })
}

/// A value of which no part can be asked for.
fn whole(word: &Word, form: &str, read: impl FnOnce(&str) -> Option<Test>) -> Result<Test, FilterError> {
    match word.tilde {
        Some(at) => {
            let key = word.key.map_or("", FilterKey::as_str);
            Err(FilterError::new(at..at + 1, format!("“{key}:” takes no ~: there are no parts of it.")))
        }
        None => read(&word.value).ok_or_else(|| FilterError::new(word.at.clone(), format!("Here belongs {form}."))),
    }
}

/// A row's number: digits, perhaps with the sign and the commas that the page shows.
pub(super) fn number(text: &str) -> Option<LogSeq> {
    let digits = text.strip_prefix('#').unwrap_or(text).replace(',', "");
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(LogSeq)).flatten()
}
