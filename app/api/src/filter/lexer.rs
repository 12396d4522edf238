//! Splits the text of a filter into its terms.

use std::iter::Peekable;
use std::ops::Range;
use std::str::Chars;

use super::error::{FilterError, Meant, nearest};
use super::key::{FilterKey, FilterList};
use super::terms::Sense;

/// A term as written.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) sense: Sense,
    pub(super) key: Option<FilterKey>,
    /// The position of the `~` before the value, if there is one.
    pub(super) tilde: Option<usize>,
    pub(super) value: String,
    /// The characters of the value, including its quotes.
    pub(super) at: Range<usize>,
}

pub(super) fn tokens(text: &str, list: FilterList) -> Result<Vec<Token>, FilterError> {
    let mut lexer = Lexer { rest: text.chars().peekable(), at: 0, list };
    let mut tokens = Vec::new();
    while lexer.skip_space() {
        tokens.push(lexer.token()?);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    /// How many characters have been read.
    at: usize,
    list: FilterList,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        self.rest.next().inspect(|_| self.at += 1)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).inspect(|_| self.at += 1).is_some()
    }

    /// Whether text follows the space.
    fn skip_space(&mut self) -> bool {
        while self.rest.next_if(|character| character.is_whitespace()).is_some() {
            self.at += 1;
        }
        self.rest.peek().is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.rest.peek().is_none_or(|character| character.is_whitespace())
    }

    fn token(&mut self) -> Result<Token, FilterError> {
        let sense = self.sense()?;
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
        let value = match self.rest.peek() {
            Some('"') => {
                self.next();
                let value = self.quoted(start)?;
                // A text that every row contains is most likely unfinished.
                if value.is_empty() && (key.is_none() || tilde.is_some()) {
                    return Err(FilterError::new(start..self.at, "There is nothing to look for between the quotes."));
                }
                if let Some(ahead) = self.rest_of_time(key, &value) {
                    let at = self.at + ahead.blanks..self.at + ahead.blanks + ahead.word;
                    return Err(FilterError::new(at, "This belongs to the time before it: put it inside the quotes."));
                }
                value
            }
            _ => self.bare(key)?,
        };
        Ok(Token { sense, key, tilde, value, at: start..self.at })
    }

    /// Reads a minus that negates a term.
    fn sense(&mut self) -> Result<Sense, FilterError> {
        if !self.next_if('-') {
            return Ok(Sense::Is);
        }
        if self.is_at_end() || self.rest.peek() == Some(&'-') {
            let message =
                "A minus stands directly in front of what it excludes. To look for a minus, put it in quotes.";
            return Err(FilterError::new(self.at - 1..self.at, message));
        }
        Ok(Sense::IsNot)
    }

    /// Reads a key and its colon. The start of an IPv6 address or a URL is not a key. Any other unknown name is an
    /// error, because it may be a typo.
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
        let Some(key) = FilterKey::of(&name).filter(|key| self.list.keys().contains(key)) else {
            let is_address = ahead.peek() == Some(&':') || (ahead.next() == Some('/') && ahead.next() == Some('/'));
            return if is_address { Ok(None) } else { Err(unknown(start, &name, self.list)) };
        };
        self.at += name.len() + 1;
        self.rest = ahead;
        Ok(Some(key))
    }

    /// Reads a value without quotes, which holds nothing that looks like another grammar's operator.
    fn bare(&mut self, key: Option<FilterKey>) -> Result<String, FilterError> {
        let start = self.at;
        let mut value = String::new();
        loop {
            while let Some(character) = self.rest.next_if(|character| !character.is_whitespace()) {
                self.at += 1;
                value.push(character);
            }
            let Some(Ahead { blanks, .. }) = self.rest_of_time(key, &value) else { break };
            value.extend((0..blanks).filter_map(|_| self.next()));
        }
        match fault(&value, key, self.list) {
            Some((at, message)) => Err(FilterError::new(start + at.start..start + at.end, message)),
            None => Ok(value),
        }
    }

    /// The next word, if it belongs to the time that was read as `value`: a date and its time need no quotes.
    fn rest_of_time(&self, key: Option<FilterKey>, value: &str) -> Option<Ahead> {
        if !key.is_some_and(FilterKey::is_time) {
            return None;
        }
        let mut ahead = self.rest.clone().peekable();
        let blanks = std::iter::from_fn(|| ahead.next_if(|character| character.is_whitespace())).count();
        let word: String = ahead.take_while(|character| !character.is_whitespace()).collect();
        let belongs = blanks > 0 && continues_time(value, &word);
        belongs.then(|| Ahead { blanks, word: word.chars().count() })
    }

    /// Reads the rest of a value that began with a quote at `start`. A backslash escapes a quote or another backslash.
    /// Before any other character it is literal.
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

/// The lengths of the blanks ahead and of the word behind them, in characters.
struct Ahead {
    blanks: usize,
    word: usize,
}

/// Whether a word behind the time `value` is a part of it, as `8:05`, `+01:00`, `PM` and `..` are.
fn continues_time(value: &str, word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let (unsigned, is_signed) = word.strip_prefix(['+', '-']).map_or((&*word, false), |rest| (rest, true));
    let (digits, behind) = unsigned.split_at(unsigned.bytes().take_while(u8::is_ascii_digit).count());
    let is_figure = match (digits.len(), behind) {
        (0, _) => false,
        (_, "s" | "m" | "h" | "d" | "w" | "am" | "pm") => !is_signed,
        (1 | 2, behind) if behind.starts_with(':') => true,
        (4, behind) if behind.starts_with('-') => true,
        (2 | 4, "") => is_signed,
        _ => word.starts_with('+'),
    };
    is_figure
        || matches!(&*word, "am" | "pm" | "a.m." | "p.m." | "z" | "utc" | "gmt" | "ago")
        || word.starts_with("..")
        || value.trim_end_matches('<').ends_with("..")
            && word.trim_start_matches('<').starts_with(|c: char| c.is_ascii_digit())
}

/// Words that combine terms in other grammars, or stand between a field and its text.
pub(super) fn is_operator(text: &str) -> bool {
    matches!(text, "OR" | "AND" | "NOT" | "TO" | "&" | "&&" | "+" | ":")
        || text.chars().all(|sign| "=<>~!".contains(sign))
}

/// What in a value without quotes looks like an operator of another grammar, and what to write instead.
fn fault(value: &str, key: Option<FilterKey>, list: FilterList) -> Option<(Range<usize>, String)> {
    let characters: Vec<char> = value.chars().collect();
    let length = characters.len();
    if key.is_none() && is_operator(value) {
        let message = match value {
            "NOT" | "!" => MINUS,
            "AND" | "&" | "&&" | "+" => "All terms must match: leave this out.",
            "OR" => NO_OR,
            "TO" => RANGES,
            _ => COLON,
        };
        return Some((0..length, format!("{message} {IN_QUOTES}")));
    }
    if let Some((name, length)) = key.is_none().then(|| key_with_wrong_sign(value, list)).flatten() {
        return Some((length..length + 1, format!("After a field comes a colon: {name}:. {IN_QUOTES}")));
    }
    let has_order = key.is_some_and(|key| key.is_time() || key.is_amount());
    if key.is_some() && matches!(characters[0], '<' | '>' | '=') && !has_order {
        return Some((0..1, format!("Nothing can be compared here. {IN_QUOTES}")));
    }
    let sign = match characters[0] {
        '!' => Some(MINUS),
        '-' => Some("A minus stands in front of the field: -browser:firefox."),
        '+' => Some("All terms must match: leave the plus out."),
        ':' if characters.get(1) != Some(&':') => Some(COLON),
        '~' => Some(COLON),
        '\'' if length > 1 => Some("Texts with spaces stand in double quotes: \"like this\"."),
        _ => None,
    };
    if let Some(message) = sign {
        return Some((0..1, format!("{message} {IN_QUOTES}")));
    }
    if let Some(at) = suffix(&characters) {
        return Some((at, format!("Texts are found as they are written, and all count alike. {IN_QUOTES}")));
    }
    if length > 1 && characters[length - 1] == '\\' {
        let message = "Texts with spaces stand in double quotes: \"like this\".";
        return Some((length - 1..length, format!("{message} {IN_QUOTES}")));
    }
    if matches!(key, Some(FilterKey::Results | FilterKey::Browser | FilterKey::State | FilterKey::Kind))
        && let Some(at) = characters.iter().position(|&character| character == ',')
    {
        let message = match key {
            Some(FilterKey::Results) => "Letters stand side by side, like results:eo.",
            Some(FilterKey::State) => "There is no “or”. Exclude the other states: -state:done -state:waiting.",
            _ => NO_OR,
        };
        return Some((at..at + 1, format!("{message} {IN_QUOTES}")));
    }
    if length > 2 && characters[0] == '/' && characters[length - 1] == '/' {
        return Some((0..length, format!("There are no regular expressions. {IN_QUOTES}")));
    }
    characters.iter().enumerate().find_map(|(at, character)| {
        let is_within_word = |at: usize| characters.get(at).is_some_and(|next| next.is_alphanumeric());
        let message = match character {
            '(' | ')' => "Parentheses do not group terms: all of them must match. Leave them out.",
            '[' | ']' | '{' | '}' => {
                "Brackets have no meaning here. Ranges are written with .. in between, like attempts:2..4 or 2d..1d."
            }
            '|' => NO_OR,
            '&' if characters.get(at + 1) == Some(&'&') => "All terms must match: write a space in between.",
            '^' => "There are no weights and no regular expressions.",
            '*' => "There are no wildcards: phrase:~hel finds a part of the phrase.",
            '?' if at > 0 && is_within_word(at - 1) && is_within_word(at + 1) => {
                "There are no wildcards: phrase:~hel finds a part of the phrase."
            }
            '"' => "A quote stands at the beginning and at the end of a text.",
            '“' | '”' | '„' => "Write straight quotes: \"like this\".",
            _ => return None,
        };
        Some((at..at + 1, format!("{message} {IN_QUOTES}")))
    })
}

const MINUS: &str = "To exclude something, put a minus directly in front of it: -browser:firefox.";
const NO_OR: &str = "There is no “or”: all terms must match. Filter by one, then by the other.";
const RANGES: &str = "Times have ranges, written with .. in between, like 2026-11-20..2026-11-22.";
const COLON: &str = "A colon stands directly behind a field, and ~ behind that: phrase:~hello.";
const IN_QUOTES: &str = "To look for this text, put it in quotes.";

/// A `~` at the end, perhaps with a number: other grammars find similar texts with it.
fn suffix(characters: &[char]) -> Option<Range<usize>> {
    let at = characters.iter().rposition(|&character| character == '~')?;
    let is_suffix =
        at > 0 && characters[at + 1..].iter().all(|character| character.is_ascii_digit() || *character == '.');
    is_suffix.then_some(at..characters.len())
}

/// A field's name that another sign than a colon follows, and its length.
fn key_with_wrong_sign(value: &str, list: FilterList) -> Option<(&'static str, usize)> {
    let end = value.find(['=', '~', '<', '>', '!'])?;
    let key = FilterKey::of(&value[..end]).filter(|key| list.keys().contains(key));
    key.map(|key| (key.as_str(), end))
}

fn unknown(start: usize, name: &str, list: FilterList) -> FilterError {
    let at = start..start + name.len();
    if let Some(key) = FilterKey::of(name) {
        let of = if list == FilterList::Log { FilterList::Jobs } else { FilterList::Log };
        let message = format!("“{}:” is a field of {}, not of {}. {IN_QUOTES}", key.as_str(), of.name(), list.name());
        return FilterError::new(at, message);
    }
    let echo = crate::error::echo(name);
    let meant = nearest(name, list.keys(), FilterKey::as_str).map(Meant::Key);
    let known = match &meant {
        Some(meant) => meant.question(),
        None => {
            let names: Vec<&str> = list.keys().iter().map(|key| key.as_str()).collect();
            format!("There are {}.", names.join(", "))
        }
    };
    let message = format!("There is no field “{echo}”. {known} {IN_QUOTES}");
    FilterError { meant, ..FilterError::new(at, message) }
}
