//! A search: the pure function, its request and response, and the receipt for its log record.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::server_functions::server_functions;
use crate::{JobState, Ledger, LogSeq, TimeMs};

/// The letters that a search looks for by default.
pub const DEFAULT_LETTERS: &str = "aeiou";
/// The longest phrase, in Unicode scalar values.
pub const PHRASE_LIMIT: usize = 10_000;
/// The most letters, in Unicode scalar values.
pub const LETTERS_LIMIT: usize = 1_000;
/// The longest address of a search, in bytes: proxies refuse longer ones. A longer search has no address.
pub const ADDRESS_LIMIT: usize = 6_000;

server_functions! {
    /// Server functions for visitors.
    trait SearchApi;

    /// Returns which of `letters` (default [`DEFAULT_LETTERS`]) occur in `phrase`.
    ///
    /// Responds once the job of the search's log record is durable, without waiting for the row. The same `id` sent
    /// twice is one search, and gets the same response.
    Search, "search", FormArguments:
        fn search(phrase: String, letters: Option<String>, id: Option<SearchId>) -> SearchAnswer;

    /// Where the searches of all visitors are. `None` if the lab is closed to the public, or the database does not
    /// answer.
    ShowPublicLedger, "ledger", Arguments:
        fn public_ledger() -> Option<PublicLedger>;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchAnswer {
    pub id: SearchId,
    pub phrase: String,
    pub letters: String,
    /// The letters found, one character each, in code-point order.
    pub results: Vec<String>,
    /// The results as Python displays a set, see [`crate::set_text`].
    pub text: String,
    pub receipt: Receipt,
    pub recorded: Recorded,
    /// How long the record took to become durable, in milliseconds of the server's clock. `None` from a server of an
    /// earlier version.
    pub accepted_in_ms: Option<u32>,
}

/// The ledger, in the words of visitors. Counts each accepted search once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicLedger {
    pub accepted: u64,
    /// The search has a log row.
    pub in_the_log: u64,
    /// The search is in the spool, or its job has not ended.
    pub being_written: u64,
    /// Its job ended without a row. An administrator decides.
    pub held: u64,
    pub lost: u64,
}

impl From<Ledger> for PublicLedger {
    fn from(ledger: Ledger) -> Self {
        Self {
            accepted: ledger.accepted,
            in_the_log: ledger.recorded,
            being_written: ledger.scheduled + ledger.waiting + ledger.running + ledger.retrying + ledger.spooled,
            held: ledger.dead + ledger.cancelled,
            // A record that is being replayed may be counted twice for a moment.
            lost: u64::try_from(ledger.drift()).unwrap_or(0),
        }
    }
}

text_enum! {
    /// The state of the log record when the response is sent.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Recorded {
        /// The record is a durable job: it will be written.
        Accepted = "accepted",
        /// The database did not answer in time. The record is durable in the spool.
        Spooled = "spooled",
        /// Neither database nor spool could take the record.
        NotRecorded = "not_recorded",
    }
}

/// Identifies a search: a ULID that the client generates, so that sending the search again is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchId(pub u128);

impl SearchId {
    /// The id of a search at `unix_ms`, with the lower 80 bits of `random`.
    pub fn from_parts(unix_ms: u64, random: u128) -> Self {
        Self(Ulid::from_parts(unix_ms, random).0)
    }

    /// When the id was made, in milliseconds since 1970, by the clock of whoever made it.
    pub fn unix_ms(self) -> u64 {
        Ulid(self.0).timestamp_ms()
    }
}

impl fmt::Display for SearchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ulid(self.0).fmt(f)
    }
}

impl FromStr for SearchId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // 26 digits of 5 bits are 130 bits, so a first digit above 7 would overflow into another id.
        let fits = text.bytes().next().is_some_and(|digit| (b'0'..=b'7').contains(&digit));
        match Ulid::from_string(text) {
            Ok(Ulid(bits)) if fits => Ok(Self(bits)),
            _ => Err("An id is a ULID: 26 characters of Crockford's base 32."),
        }
    }
}

impl Serialize for SearchId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SearchId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An opaque, unguessable token with which the client follows a search's log record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(pub String);

/// The response of `GET /api/receipts/{receipt}`, and the data of each event of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptState {
    pub state: JobState,
    /// How many jobs will start before this one, while it is waiting.
    pub ahead: u64,
    /// 0 until a worker has started.
    pub attempt: u32,
    /// The log row, once it is written.
    pub row: Option<LogSeq>,
    /// Whether the record is still in the spool: it waits for the database, and then for a worker.
    pub spooled: bool,
    /// Whether an administrator has paused the writing of records.
    #[serde(default)]
    pub paused: bool,
    /// When the record became durable. `None` from a server of an earlier version, as are the other times.
    pub accepted_at: Option<TimeMs>,
    /// When the last attempt to write it began. `None` before the first, and once the job was deleted.
    pub started_at: Option<TimeMs>,
    /// When the row was written.
    pub recorded_at: Option<TimeMs>,
}

impl ReceiptState {
    /// The name of the event that a stream sends instead of a state while the server does not know the receipt. The
    /// record may be in the spool of another server, or deleted. A state follows if the record appears.
    pub const UNKNOWN_EVENT: &str = "unknown";

    /// Whether nothing can change any more. A job that died or was cancelled without a row may still be retried.
    pub fn is_settled(&self) -> bool {
        self.row.is_some() || self.state == JobState::Done
    }
}

/// The characters of `letters` that occur in `phrase`, in code-point order.
///
/// Compares Unicode scalar values, case-sensitively and without normalisation, exactly like Python's `set(letters) &
/// set(phrase)`.
pub fn search4letters(phrase: &str, letters: &str) -> BTreeSet<char> {
    let mut wanted = BTreeSet::new();
    // Not `collect`, which would add a sorting algorithm to the client bundle for a few letters.
    wanted.extend(letters.chars());
    if wanted.is_empty() {
        return wanted;
    }
    let mut found = BTreeSet::new();
    for character in phrase.chars() {
        // Stops once all letters are found: a phrase may be long.
        if wanted.contains(&character) && found.insert(character) && found.len() == wanted.len() {
            break;
        }
    }
    found
}

/// `found` as Python displays a set, for instance `{'a', 'e'}` or `set()`. Python's `eval` reads it back.
pub fn set_text(found: &BTreeSet<char>) -> String {
    if found.is_empty() {
        return "set()".to_owned();
    }
    let elements: Vec<String> = found.iter().copied().map(python_repr).collect();
    format!("{{{}}}", elements.join(", "))
}

/// The inverse of [`set_text`]. `None` for another text.
pub fn letters_of_set(text: &str) -> Option<Vec<char>> {
    if text == "set()" {
        return Some(Vec::new());
    }
    let mut rest = text.strip_prefix('{')?.chars();
    let mut letters = Vec::new();
    loop {
        let quote = rest.next().filter(|quote| matches!(quote, '\'' | '"'))?;
        letters.push(match rest.next()? {
            '\\' => match rest.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'x' => hexadecimal(&mut rest, 2)?,
                'u' => hexadecimal(&mut rest, 4)?,
                'U' => hexadecimal(&mut rest, 8)?,
                character => character,
            },
            character => character,
        });
        if rest.next() != Some(quote) {
            return None;
        }
        match rest.as_str() {
            "}" => return Some(letters),
            more => rest = more.strip_prefix(", ")?.chars(),
        }
    }
}

fn hexadecimal(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let (number, after) = rest.as_str().split_at_checked(digits)?;
    *rest = after.chars();
    u32::from_str_radix(number, 16).ok().and_then(char::from_u32)
}

/// Python 3.11's `repr` of a string of this one character.
pub(crate) fn python_repr(character: char) -> String {
    match character {
        '\'' => "\"'\"".to_owned(),
        '\\' => "'\\\\'".to_owned(),
        '\t' => "'\\t'".to_owned(),
        '\n' => "'\\n'".to_owned(),
        '\r' => "'\\r'".to_owned(),
        _ if is_printable(character) => format!("'{character}'"),
        _ => match u32::from(character) {
            code @ ..=0xff => format!("'\\x{code:02x}'"),
            code @ ..=0xffff => format!("'\\u{code:04x}'"),
            code => format!("'\\U{code:08x}'"),
        },
    }
}

/// Python 3.11's `str.isprintable`, which uses Unicode 14.0.
fn is_printable(character: char) -> bool {
    let code = u32::from(character);
    if (0x20..0x7f).contains(&code) {
        return true;
    }
    let mut numbers = leb128_numbers(UNPRINTABLE);
    let mut end = 0;
    while let (Some(gap), Some(extent)) = (numbers.next(), numbers.next()) {
        let first = end + gap;
        if code < first {
            return true;
        }
        end = first + extent;
        if code <= end {
            return false;
        }
    }
    true
}

/// The ranges of unprintable characters. tests/vectors/generate.py writes and describes the file.
const UNPRINTABLE: &[u8] = include_bytes!("unprintable.bin");

fn leb128_numbers(bytes: &'static [u8]) -> impl Iterator<Item = u32> {
    bytes
        .split_inclusive(|byte| byte & 0x80 == 0)
        .map(|group| group.iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_letters_of_a_displayed_set_are_read_back(letters in proptest::collection::btree_set(any::<char>(), 0..6)) {
            let read = letters_of_set(&set_text(&letters));
            prop_assert_eq!(read, Some(letters.into_iter().collect::<Vec<_>>()));
        }

        #[test]
        fn any_text_is_a_set_or_not(text in "[{}'\"a, \\\\xuU0-9é]{0,20}") {
            if let Some(letters) = letters_of_set(&text) {
                prop_assert!(letters.len() <= text.chars().count());
            }
        }
    }

    #[test]
    fn letters_that_python_escapes_are_read_back() {
        let letters: BTreeSet<char> = "'\"\\\t\n\r\u{0}\u{ad}\u{200b}\u{e0001}é🦀".chars().collect();
        assert_eq!(letters_of_set(&set_text(&letters)), Some(letters.into_iter().collect()));
        for text in ["", "{}", "{'a'", "{'a',}", "{'ab'}", "['a']", "{'\\x4'}", "{'\\ud800'}", "{'a'} "] {
            assert_eq!(letters_of_set(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_is_a_ulid() {
        let id: SearchId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("a ULID");
        assert_eq!(id.to_string(), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        assert_eq!("01arz3ndektsv4rrffq69g5fav".parse(), Ok(id));
        for wrong in ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVV", "01ARZ3NDEKTSV4RRFFQ69G5FA!"] {
            assert!(wrong.parse::<SearchId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_id_that_overflows_128_bits_is_refused() {
        assert!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<SearchId>().is_ok());
        assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<SearchId>().is_err());
    }

    #[test]
    fn agrees_with_python_on_the_committed_vectors() {
        let vectors = include_str!("../../../tests/vectors/search.tsv");
        let mut checked = 0;
        for line in vectors.lines() {
            let fields: Vec<String> =
                line.split('\t').map(|field| serde_json::from_str(field).expect("a JSON string")).collect();
            let [phrase, letters, expected] = &fields[..] else { panic!("three fields: {line}") };
            assert_eq!(&set_text(&search4letters(phrase, letters)), expected, "{line}");
            checked += 1;
        }
        assert!(checked > 400, "only {checked} vectors");
    }

    proptest! {
        #[test]
        fn finds_exactly_the_common_characters(phrase in ".{0,60}", letters in ".{0,20}") {
            let found = search4letters(&phrase, &letters);
            for character in phrase.chars().chain(letters.chars()) {
                let common = phrase.contains(character) && letters.contains(character);
                prop_assert_eq!(found.contains(&character), common);
            }
            prop_assert!(found.iter().all(|&c| phrase.contains(c) && letters.contains(c)));
        }

        #[test]
        fn is_symmetric_and_ignores_order_and_repetition(phrase in ".{0,60}", letters in ".{0,20}") {
            let found = search4letters(&phrase, &letters);
            prop_assert_eq!(&found, &search4letters(&letters, &phrase));
            let reversed: String = letters.chars().rev().chain(letters.chars()).collect();
            prop_assert_eq!(&found, &search4letters(&phrase, &reversed));
        }

        #[test]
        fn text_holds_no_raw_control_character(phrase in any::<String>()) {
            let text = set_text(&search4letters(&phrase, &phrase));
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
