//! What may follow in a filter: the fields, and the values that are known.

use api::{FilterKey, FilterList};

use crate::ui::filter::words;

/// What may take the place of the word at the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The first character of the word, and the one behind it.
    pub from: usize,
    pub to: usize,
    /// At least one.
    pub choices: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What takes the word's place.
    pub text: String,
    pub about: &'static str,
}

/// Whether the visitor types, or has asked what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Typing,
    Outright,
}

/// Completes the word that ends at the character `caret` of `text`. `values` are those known for a field.
pub fn complete(
    text: &str,
    caret: usize,
    list: FilterList,
    asked: Asked,
    values: impl Fn(FilterKey) -> Vec<String>,
) -> Option<Completion> {
    let characters: Vec<char> = text.chars().collect();
    let caret = caret.min(characters.len());
    let before = &characters[..caret];
    let is_quoted = before.iter().filter(|character| **character == '"').count() % 2 == 1;
    let is_within_word = characters.get(caret).is_some_and(|next| !next.is_whitespace());
    if is_quoted || is_within_word {
        return None;
    }
    let mut from = before.iter().rposition(|character| character.is_whitespace()).map_or(0, |blank| blank + 1);
    from += usize::from(characters.get(from) == Some(&'-') && from < caret);
    let word: String = characters[from..caret].iter().collect();
    let choices: Vec<Choice> = match word.split_once(':') {
        Some((name, part)) => {
            let key = *list.keys().iter().find(|key| key.as_str().eq_ignore_ascii_case(name))?;
            let known = values(key).into_iter().filter(|value| begins(value, part) && value != part);
            known.map(|value| Choice { text: format!("{}:{} ", key.as_str(), quoted(&value)), about: "" }).collect()
        }
        None if word.is_empty() && asked == Asked::Typing => vec![],
        None => {
            let keys = list.keys().iter().filter(|key| begins(key.as_str(), &word));
            keys.map(|key| Choice { text: format!("{}:", key.as_str()), about: words::about(*key, list) }).collect()
        }
    };
    (!choices.is_empty()).then_some(Completion { from, to: caret, choices })
}

/// Whether `text` begins with `part`. Letters may be in either case.
fn begins(text: &str, part: &str) -> bool {
    text.get(..part.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(part))
}

fn quoted(value: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "_.-/%@".contains(character);
    match value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

impl Completion {
    /// `text` with a choice in the place of the word, and where the caret then is.
    pub fn accept(&self, text: &str, choice: &Choice) -> (String, usize) {
        let before: String = text.chars().take(self.from).chain(choice.text.chars()).collect();
        let caret = before.chars().count();
        let after: String = text.chars().skip(self.to).collect();
        // A choice ends with a blank of its own.
        let after = if choice.text.ends_with(' ') { after.trim_start() } else { &after };
        (before + after, caret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(key: FilterKey) -> Vec<String> {
        let values: &[&str] = match key {
            FilterKey::State => &["dead", "done", "waiting"],
            FilterKey::Worker => &["web 1"],
            _ => &[],
        };
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn choices(text: &str, asked: Asked) -> Vec<String> {
        let caret = text.chars().count();
        let completion = complete(text, caret, FilterList::Jobs, asked, values);
        completion.into_iter().flat_map(|completion| completion.choices).map(|choice| choice.text).collect()
    }

    #[test]
    fn fields_and_known_values_are_offered() {
        assert_eq!(choices("s", Asked::Typing), ["state:", "since:", "search:"]);
        assert_eq!(choices("hello -ST", Asked::Typing), ["state:"]);
        assert_eq!(choices("state:d", Asked::Typing), ["state:dead ", "state:done "]);
        assert_eq!(choices("ä STATE:", Asked::Typing), ["state:dead ", "state:done ", "state:waiting "]);
        assert_eq!(choices("worker:w", Asked::Typing), ["worker:\"web 1\" "]);
        assert_eq!(choices("", Asked::Outright).len(), FilterList::Jobs.keys().len());
        for text in ["", "state:dead ", "state:dead", "state:x", "\"st", "nothing", "foo:s", "recorded:"] {
            assert!(choices(text, Asked::Typing).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_choice_takes_the_place_of_its_word() {
        let accept = |text: &str, caret: usize| {
            let completion = complete(text, caret, FilterList::Jobs, Asked::Typing, values)?;
            Some(completion.accept(text, &completion.choices[0]))
        };
        assert_eq!(accept("ä -st x", 5), Some(("ä -state: x".to_owned(), 9)));
        assert_eq!(accept("state:d x", 7), Some(("state:dead x".to_owned(), 11)));
        assert_eq!(accept("state", 2), None, "within a word");
    }
}
