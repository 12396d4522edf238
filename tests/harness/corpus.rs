//! The stored corpus of hostile strings, `tests/corpus/hostile.jsonl`.
//!
//! Each line is a JSON object: a `name`, `why` the string is in the corpus, and its `text`, which is repeated `times`
//! times. Everything but printable ASCII is escaped, so that a reader sees what an editor would hide.

use std::sync::LazyLock;

use serde::Deserialize;

/// A text that an attacker or an unforeseen user might type.
#[derive(Debug)]
pub struct Hostile {
    pub name: String,
    pub text: String,
}

/// The whole corpus, in the file's order.
pub fn corpus() -> &'static [Hostile] {
    &CORPUS
}

/// The string with this name.
pub fn hostile(name: &str) -> &'static Hostile {
    corpus().iter().find(|hostile| hostile.name == name).unwrap_or_else(|| panic!("no hostile string is called {name}"))
}

impl Hostile {
    /// As much of it as fits into a search's letters.
    pub fn letters(&self) -> String {
        self.text.chars().take(api::LETTERS_LIMIT).collect()
    }

    /// A form that searches for it. Only necessary characters are percent-encoded; otherwise the longest strings would
    /// not fit into a body.
    pub fn form(&self) -> String {
        format!("phrase={}&letters={}", minimally_encoded(&self.text), minimally_encoded(&self.letters()))
    }

    /// The text as a header's value, if a header may hold it.
    pub fn header(&self) -> Option<http::HeaderValue> {
        http::HeaderValue::from_bytes(self.text.as_bytes()).ok()
    }
}

/// `text` as a value in a form, in which only the characters with a meaning are encoded.
pub fn minimally_encoded(text: &str) -> String {
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
    #[expect(dead_code, reason = "for readers of the file; declaring it makes it mandatory")]
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
    fn the_file_is_printable_ascii() {
        let stored = include_str!("../corpus/hostile.jsonl");
        assert!(stored.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
    }
}
