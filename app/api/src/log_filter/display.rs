//! From a filter to a text that is read as the same filter.

use std::collections::BTreeSet;
use std::fmt;

use super::{FilterKey, LogFilter, Sense, Term, Test};

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
        let key = |key: FilterKey| key.as_str();
        let letters = |letters: &BTreeSet<char>| quoted(&letters.iter().collect::<String>());
        match &self.test {
            Test::Anywhere(text) => f.write_str(&quoted(text)),
            Test::Part(column, text) => write!(f, "{}:~{}", key(FilterKey::of_column(*column)), quoted(text)),
            Test::Whole(column, text) => write!(f, "{}:{}", key(FilterKey::of_column(*column)), quoted(text)),
            Test::Found(found) => write!(f, "{}:{}", key(FilterKey::Results), letters(found)),
            Test::FoundAmong(found) => write!(f, "{}:~{}", key(FilterKey::Results), letters(found)),
            Test::Address(network) => write!(f, "{}:{network}", key(FilterKey::Ip)),
            Test::Row(seq) => write!(f, "{}:{}", key(FilterKey::Row), seq.0),
            Test::Search(id) => write!(f, "{}:{id}", key(FilterKey::Search)),
            Test::Since(point) => write!(f, "{}:{point}", key(FilterKey::Since)),
            Test::Before(point) => write!(f, "{}:{point}", key(FilterKey::Before)),
        }
    }
}

/// `text`, in quotes unless it is a plain word: one that is read as itself wherever it stands.
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
