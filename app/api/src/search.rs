//! A search: its question, its answer, and the receipt for its log record.

use std::fmt;
use std::str::FromStr;

use leptos::server;
use serde::{Deserialize, Serialize};
use server_fn::codec::Post;
use ulid::Ulid;

use crate::json::Answer;
use crate::{ApiError, Form, JobState, LogSeq};

/// The letters that are looked for when a search does not say which.
pub const DEFAULT_LETTERS: &str = "aeiou";
/// The longest phrase that is searched, in Unicode scalar values.
pub const PHRASE_LIMIT: usize = 10_000;
/// The most letters that are looked for, in Unicode scalar values.
pub const LETTERS_LIMIT: usize = 1_000;

/// Says which of `letters` (default [`DEFAULT_LETTERS`]) occur in `phrase`.
///
/// The answer leaves when the search's log record is durable, not when it is written.
/// The same `id` sent twice is one search, and gives the same answer.
#[server(name = Search, prefix = "/api", endpoint = "search", input = Post<Form>, output = Answer)]
pub async fn search(phrase: String, letters: Option<String>, id: Option<SearchId>) -> Result<SearchAnswer, ApiError> {
    crate::backend()?.search(phrase, letters, id).await
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchAnswer {
    pub id: SearchId,
    pub phrase: String,
    pub letters: String,
    /// The letters found, one character each, in code-point order.
    pub results: Vec<String>,
    /// The same as Python displays a set; see [`crate::set_text`].
    pub text: String,
    pub receipt: Receipt,
    pub recorded: Recorded,
}

/// What is known of the log record when the answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// The record is a durable job: it will be written.
    Accepted,
    /// The database did not answer in time; the record is safe in the spool.
    Spooled,
    /// Neither database nor spool could take the record.
    NotRecorded,
}

/// Identifies a search: a ULID, made by whoever asks, so that asking again is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchId(pub u128);

impl SearchId {
    /// The id of a search asked at `unix_ms`, with the lower 80 bits of `random`.
    #[must_use]
    pub fn from_parts(unix_ms: u64, random: u128) -> Self {
        Self(Ulid::from_parts(unix_ms, random).0)
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
        // 26 digits of 5 bits are 130: a first digit above 7 does not fit, and would be another id's alias.
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

/// Opaque and not to be guessed: lets whoever asked follow the search's log record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(pub String);

/// What `GET /api/receipts/{receipt}` answers, and each event of its stream carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptState {
    pub state: JobState,
    /// How many jobs will be started before this one; only of interest while it waits.
    pub ahead: u64,
    /// 0 until a worker has begun.
    pub attempt: u32,
    /// The row in the log, once it is written.
    pub row: Option<LogSeq>,
    /// Whether the record still lies in the spool: it waits for the database first, and then for a worker.
    #[serde(default)]
    pub spooled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_ulid_in_one_spelling() {
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
}
