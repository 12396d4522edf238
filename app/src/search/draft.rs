//! What is typed into the search form and not yet sent. It outlives the page and its document: visiting another page
//! loses nothing.

use api::{DEFAULT_LETTERS, LETTERS_LIMIT, PHRASE_LIMIT};
use leptos::ev;
use leptos::prelude::*;
use web_sys::Storage;

use crate::platform::mount::preview_value;
use crate::platform::router::Location;
use crate::search::submission::Question;
use crate::search::words;
use crate::ui::format;

#[derive(Clone, Copy)]
pub struct Draft {
    pub phrase: RwSignal<String>,
    pub letters: RwSignal<String>,
}

impl Draft {
    /// What was typed into the preview of the form before the wasm was loaded.
    pub fn from_preview() -> Self {
        let letters = preview_value(Field::Letters.name()).unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
        let phrase = preview_value(Field::Phrase.name()).unwrap_or_default();
        Self { phrase: RwSignal::new(phrase), letters: RwSignal::new(letters) }
    }

    /// Keeps the draft as long as the tab is open. `location` is where the document was opened: a new visit to an
    /// address that names a search fills the form from the address.
    pub fn keep(self, location: &Location) {
        let names_search = !location.query.is_empty() && location.note.is_none();
        if !names_search && self.is_untouched() {
            let kept = Field::ALL.map(|field| storage().and_then(|storage| storage.get_item(field.name()).ok()?));
            if let [Some(phrase), Some(letters)] = kept {
                self.set(&phrase, &letters);
            }
        }
        let _ = window_event_listener(ev::pagehide, move |_| {
            // If the browser forbids storage, nothing is kept.
            let Some(storage) = storage() else { return };
            for (field, text) in Field::ALL.into_iter().zip([self.phrase, self.letters]) {
                let _ = text.with_untracked(|text| storage.set_item(field.name(), text));
            }
        });
    }

    pub fn set(self, phrase: &str, letters: &str) {
        self.phrase.set(phrase.to_owned());
        self.letters.set(letters.to_owned());
    }

    /// The first field whose text cannot be sent.
    pub fn faulty_field(self) -> Option<Field> {
        let mut fields = Field::ALL.into_iter().zip([self.phrase, self.letters]);
        fields.find(|(field, text)| text.with_untracked(|text| field.fault(text).is_some())).map(|(field, _)| field)
    }

    /// Whether this is what `question` asks. Tracked.
    pub fn asks(self, question: &Question) -> bool {
        self.phrase.with(|phrase| *phrase == question.phrase)
            && self.letters.with(|letters| *letters == question.letters)
    }

    pub fn is_untouched(self) -> bool {
        self.phrase.with_untracked(String::is_empty)
            && self.letters.with_untracked(|letters| letters == DEFAULT_LETTERS)
    }
}

/// The tab's storage, if the browser allows it.
pub fn storage() -> Option<Storage> {
    window().session_storage().ok()?
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Phrase,
    Letters,
}

impl Field {
    const ALL: [Self; 2] = [Self::Phrase, Self::Letters];

    pub fn name(self) -> &'static str {
        match self {
            Self::Phrase => "phrase",
            Self::Letters => "letters",
        }
    }

    /// In Unicode scalar values.
    fn limit(self) -> usize {
        match self {
            Self::Phrase => PHRASE_LIMIT,
            Self::Letters => LETTERS_LIMIT,
        }
    }

    /// What is wrong with `text` as this field's value, as a sentence.
    pub fn fault(self, text: &str) -> Option<String> {
        let length = text.chars().count();
        (length > self.limit()).then(|| match self {
            Self::Phrase => words::phrase_too_long(length, self.limit()),
            Self::Letters => words::letters_too_long(length, self.limit()),
        })
    }

    /// The part of the limit that is used, shown from nine tenths on: `9,950 / 10,000`.
    pub fn counter(self, text: &str) -> Option<String> {
        // A text has at least as many bytes as characters: most keystrokes need no counting.
        let near = self.limit() - self.limit() / 10;
        if text.len() < near {
            return None;
        }
        let length = text.chars().count();
        (length >= near).then(|| format!("{} / {}", format::number(length as u64), format::number(self.limit() as u64)))
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
    fn the_counter_appears_near_the_limit() {
        assert_eq!(Field::Phrase.counter(&"é".repeat(8_999)), None);
        assert_eq!(Field::Phrase.counter(&"é".repeat(9_000)).as_deref(), Some("9,000 / 10,000"));
    }
}
