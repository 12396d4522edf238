//! Compares what a search has left, in the log and in its job.

use std::collections::BTreeSet;
use std::fmt;

use super::compare::{Network, NotANetwork, contains, has_letters};
use super::error::FilterError;
use super::key::FilterKey;
use super::lexer::Token;
use super::terms::quoted;
use crate::LogRow;

/// What is kept of a search.
#[derive(Clone, Copy, Debug)]
pub struct SearchTexts<'a> {
    pub phrase: &'a str,
    pub letters: &'a str,
    /// The set of letters found, as Python displays a set.
    pub results: &'a str,
    pub ip: &'a str,
    /// For instance `Firefox`. Empty if unknown.
    pub browser_family: &'a str,
    /// The complete User-Agent header.
    pub user_agent: &'a str,
}

impl<'a> From<&'a LogRow> for SearchTexts<'a> {
    fn from(row: &'a LogRow) -> Self {
        Self {
            phrase: &row.phrase,
            letters: &row.letters,
            results: &row.results,
            ip: &row.ip,
            browser_family: &row.browser_family,
            user_agent: &row.user_agent,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SearchTest {
    Part(Column, String),
    Whole(Column, String),
    /// Exactly these letters were found.
    Found(BTreeSet<char>),
    /// At least these letters were found.
    FoundAmong(BTreeSet<char>),
    Address(Network),
}

/// The texts of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Phrase,
    Letters,
    Ip,
    Browser,
    Agent,
}

impl SearchTest {
    /// Reads a term whose key is one of a search's.
    pub(super) fn read(key: FilterKey, token: Token) -> Result<Self, FilterError> {
        let column = match key {
            FilterKey::Phrase => Column::Phrase,
            FilterKey::Letters => Column::Letters,
            FilterKey::Browser => Column::Browser,
            FilterKey::Agent => Column::Agent,
            FilterKey::Ip if token.tilde.is_some() => Column::Ip,
            FilterKey::Ip => return network(&token),
            FilterKey::Results => {
                let letters: BTreeSet<char> = token.value.chars().collect();
                return Ok(if token.tilde.is_some() { Self::FoundAmong(letters) } else { Self::Found(letters) });
            }
            _ => return Err(FilterError::new(token.at, format!("“{}:” is no field of a search.", key.as_str()))),
        };
        Ok(match token.tilde {
            Some(_) => Self::Part(column, token.value),
            None => Self::Whole(column, token.value),
        })
    }

    pub(super) fn matches(&self, search: &SearchTexts<'_>) -> bool {
        match self {
            Self::Part(column, text) => contains(column.of(search), text),
            Self::Whole(column, text) => column.of(search).eq_ignore_ascii_case(text),
            Self::Found(letters) => search.results == crate::set_text(letters),
            Self::FoundAmong(letters) => has_letters(search.results, letters),
            Self::Address(network) => network.contains(search.ip),
        }
    }
}

/// Whether any text of the search contains `text`.
pub(super) fn is_anywhere(search: &SearchTexts<'_>, text: &str) -> bool {
    Column::ALL.iter().any(|column| contains(column.of(search), text)) || contains(search.results, text)
}

impl Column {
    const ALL: [Self; 5] = [Self::Phrase, Self::Letters, Self::Ip, Self::Browser, Self::Agent];

    fn key(self) -> FilterKey {
        match self {
            Self::Phrase => FilterKey::Phrase,
            Self::Letters => FilterKey::Letters,
            Self::Ip => FilterKey::Ip,
            Self::Browser => FilterKey::Browser,
            Self::Agent => FilterKey::Agent,
        }
    }

    fn of<'a>(self, search: &SearchTexts<'a>) -> &'a str {
        match self {
            Self::Phrase => search.phrase,
            Self::Letters => search.letters,
            Self::Ip => search.ip,
            Self::Browser => search.browser_family,
            Self::Agent => search.user_agent,
        }
    }
}

impl SearchTest {
    pub(super) fn key(&self) -> FilterKey {
        match self {
            Self::Part(column, _) | Self::Whole(column, _) => column.key(),
            Self::Found(_) | Self::FoundAmong(_) => FilterKey::Results,
            Self::Address(_) => FilterKey::Ip,
        }
    }
}

impl fmt::Display for SearchTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = |letters: &BTreeSet<char>| quoted(&letters.iter().collect::<String>());
        let key = self.key().as_str();
        match self {
            Self::Part(_, text) => write!(f, "{key}:~{}", quoted(text)),
            Self::Whole(_, text) => write!(f, "{key}:{}", quoted(text)),
            Self::Found(found) => write!(f, "{key}:{}", letters(found)),
            Self::FoundAmong(found) => write!(f, "{key}:~{}", letters(found)),
            Self::Address(network) => write!(f, "{key}:{network}"),
        }
    }
}

fn network(token: &Token) -> Result<SearchTest, FilterError> {
    Network::parse(&token.value).map(SearchTest::Address).map_err(|error| {
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
