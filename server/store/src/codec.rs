//! Decodes stored values. For implementations of a store.

use std::fmt::Debug;

use api::{AttemptOutcome, AuditAction, JobState, Ledger, Role, SearchId};

use crate::{Result, StoreError, TokenHash};

pub fn job_state(word: &str) -> Result<JobState> {
    JobState::parse(word).ok_or_else(|| corrupt("job state", word))
}

pub fn attempt_outcome(word: &str) -> Result<AttemptOutcome> {
    AttemptOutcome::parse(word).ok_or_else(|| corrupt("attempt outcome", word))
}

pub fn audit_action(word: &str) -> Result<AuditAction> {
    AuditAction::parse(word).ok_or_else(|| corrupt("command", word))
}

pub fn role(word: &str) -> Result<Role> {
    Role::parse(word).ok_or_else(|| corrupt("role", word))
}

pub fn search_id(text: &str) -> Result<SearchId> {
    text.parse().map_err(|_| corrupt("search id", text))
}

pub fn token_hash(bytes: &[u8]) -> Result<TokenHash> {
    bytes.try_into().map(TokenHash).map_err(|_| corrupt("token hash", bytes.len()))
}

/// A negative count, which only a manual edit can cause, counts as zero.
pub fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The ledger's field for a row of counts: `accepted`, `recorded`, `pruned` (cancelled, and its job was deleted), or the
/// state of a log job that is not done.
pub fn ledger_figure<'a>(ledger: &'a mut Ledger, word: &str) -> Result<&'a mut u64> {
    Ok(match word {
        "accepted" => &mut ledger.accepted,
        "recorded" => &mut ledger.recorded,
        "pruned" => &mut ledger.cancelled,
        state => match job_state(state)? {
            JobState::Scheduled => &mut ledger.scheduled,
            JobState::Waiting => &mut ledger.waiting,
            JobState::Running => &mut ledger.running,
            JobState::Retrying => &mut ledger.retrying,
            JobState::Dead => &mut ledger.dead,
            JobState::Cancelled => &mut ledger.cancelled,
            // Counted as recorded.
            JobState::Done => return Err(corrupt("figure of the ledger", word)),
        },
    })
}

/// The error for a stored value that no version up to this one writes.
pub fn corrupt(what: &str, value: impl Debug) -> StoreError {
    StoreError::Sql(format!("the database holds a {what} that this version cannot read: {value:?}"))
}
