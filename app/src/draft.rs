//! What the visitor has typed and not yet sent. It outlives the entry page, so that a look at
//! another page loses nothing.

use api::{DEFAULT_LETTERS, LETTERS_LIMIT, PHRASE_LIMIT};
use leptos::prelude::*;

use crate::wording;

#[derive(Clone, Copy)]
pub struct Draft {
    pub phrase: RwSignal<String>,
    pub letters: RwSignal<String>,
}

impl Draft {
    #[must_use]
    pub fn new(phrase: Option<String>, letters: Option<String>) -> Self {
        Self {
            phrase: RwSignal::new(phrase.unwrap_or_default()),
            letters: RwSignal::new(letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned())),
        }
    }

    pub fn set(self, phrase: &str, letters: &str) {
        self.phrase.set(phrase.to_owned());
        self.letters.set(letters.to_owned());
    }

    #[must_use]
    pub fn is_untouched(self) -> bool {
        self.phrase.with_untracked(String::is_empty)
            && self.letters.with_untracked(|letters| letters == DEFAULT_LETTERS)
    }
}

/// A field of the search, and how much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Phrase,
    Letters,
}

impl Field {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Phrase => "phrase",
            Self::Letters => "letters",
        }
    }

    /// In Unicode scalar values.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Phrase => PHRASE_LIMIT,
            Self::Letters => LETTERS_LIMIT,
        }
    }

    /// What is wrong with `text` as this field's value, for a person to read.
    #[must_use]
    pub fn fault(self, text: &str) -> Option<String> {
        let length = text.chars().count();
        (length > self.limit()).then(|| {
            let (length, limit) = (wording::counted(length, "character"), wording::number(self.limit() as u64));
            match self {
                Self::Phrase => format!("The phrase has {length}; the limit is {limit}."),
                Self::Letters => format!("The letters are {length}; the limit is {limit}."),
            }
        })
    }

    /// How much of the limit is used, once it comes near: `9,950 / 10,000`.
    #[must_use]
    pub fn counter(self, text: &str) -> Option<String> {
        // A text has at least as many bytes as characters: most keystrokes need no counting.
        let near = self.limit() - self.limit() / 10;
        if text.len() < near {
            return None;
        }
        let length = text.chars().count();
        (length >= near)
            .then(|| format!("{} / {}", wording::number(length as u64), wording::number(self.limit() as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_characters_not_bytes() {
        assert_eq!(Field::Letters.fault(&"é".repeat(1_000)), None);
        let fault = Field::Letters.fault(&"é".repeat(1_001)).expect("too long");
        assert_eq!(fault, "The letters are 1,001 characters; the limit is 1,000.");
    }

    #[test]
    fn the_counter_shows_up_near_the_limit() {
        assert_eq!(Field::Phrase.counter(&"é".repeat(8_999)), None);
        assert_eq!(Field::Phrase.counter(&"é".repeat(9_000)).as_deref(), Some("9,000 / 10,000"));
    }
}
