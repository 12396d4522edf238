//! The stored corpus of hostile strings, `tests/corpus/hostile.jsonl`.
//!
//! One JSON object a line: its `name`, `why` it is in there, and its `text`, repeated where `times` says so. Every
//! character that is no printable ASCII stands there as an escape: a reader sees what an editor would hide.

use std::sync::LazyLock;

use serde::Deserialize;

/// A text that somebody might type who means harm, or who is just not who we thought of.
#[derive(Debug)]
pub struct Hostile {
    pub name: String,
    pub text: String,
}

/// The whole corpus, in the file's order.
pub fn corpus() -> &'static [Hostile] {
    &CORPUS
}

/// The string of this name.
#[must_use]
pub fn hostile(name: &str) -> &'static Hostile {
    corpus().iter().find(|hostile| hostile.name == name).unwrap_or_else(|| panic!("no hostile string is called {name}"))
}

impl Hostile {
    /// As much of it as a search looks for.
    #[must_use]
    pub fn letters(&self) -> String {
        self.text.chars().take(api::LETTERS_LIMIT).collect()
    }

    /// A search for it, as a form that is no longer than it has to be: percent-encoded whole, the longest would
    /// not fit into a body.
    #[must_use]
    pub fn form(&self) -> String {
        format!("phrase={}&letters={}", sparingly_encoded(&self.text), sparingly_encoded(&self.letters()))
    }

    /// It as a header's value, where one may hold it.
    #[must_use]
    pub fn header(&self) -> Option<http::HeaderValue> {
        http::HeaderValue::from_bytes(self.text.as_bytes()).ok()
    }
}

/// `text` as a value in a form, encoded where it would mean something else.
#[must_use]
pub fn sparingly_encoded(text: &str) -> String {
    text.replace('%', "%25").replace('&', "%26").replace('+', "%2B")
}

static CORPUS: LazyLock<Vec<Hostile>> = LazyLock::new(|| {
    let lines = include_str!("../corpus/hostile.jsonl").lines();
    lines
        .map(|line| serde_json::from_str::<Stored>(line).unwrap_or_else(|error| panic!("{error}: {line}")).into())
        .collect()
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    #[expect(dead_code, reason = "for those who read the file; being asked for, it must be there")]
    why: String,
    text: String,
    times: Option<usize>,
}

impl From<Stored> for Hostile {
    fn from(Stored { name, text, times, .. }: Stored) -> Self {
        Self { name, text: text.repeat(times.unwrap_or(1)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_texts_are_within_the_limit() {
        let names: HashSet<&str> = corpus().iter().map(|hostile| hostile.name.as_str()).collect();
        assert_eq!(names.len(), corpus().len());
        for hostile in corpus() {
            assert!(hostile.text.chars().count() <= api::PHRASE_LIMIT, "{}", hostile.name);
            assert!(hostile.form().len() <= 64 * 1024, "{}", hostile.name);
        }
    }

    #[test]
    fn the_file_itself_is_harmless_to_read() {
        let stored = include_str!("../corpus/hostile.jsonl");
        assert!(stored.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
    }
}
