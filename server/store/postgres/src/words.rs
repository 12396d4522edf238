//! The database's words and numbers, back as the types that they were.

use api::{AttemptOutcome, JobState, Role, SearchId};
use store::{Result, TokenHash};

use crate::error::unreadable;

pub(crate) fn job_state(word: &str) -> Result<JobState> {
    JobState::from_word(word).ok_or_else(|| unreadable("job state", word))
}

pub(crate) fn attempt_outcome(word: &str) -> Result<AttemptOutcome> {
    AttemptOutcome::from_word(word).ok_or_else(|| unreadable("attempt outcome", word))
}

pub(crate) fn role(word: &str) -> Result<Role> {
    Role::from_word(word).ok_or_else(|| unreadable("role", word))
}

pub(crate) fn search_id(text: &str) -> Result<SearchId> {
    text.parse().map_err(|_| unreadable("search id", text))
}

pub(crate) fn token_hash(bytes: &[u8]) -> Result<TokenHash> {
    bytes.try_into().map(TokenHash).map_err(|_| unreadable("token hash", bytes.len()))
}

/// A count that somebody's own statements have put below zero is shown as none.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
