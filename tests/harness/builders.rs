//! Builders of the values that tests pass to a store. Fields that a test does not set have ordinary values.

use std::time::Duration;

use api::{JobId, Role, SearchId, TimeMs};
use store::{
    Accounts, AttemptResult, Claim, ClaimedJob, FinishedAttempt, JobReport, LogEntry, LogQuery, LogSpan, NewAccount,
    NewJob, SearchRecord, Signature, StoredAccount, StoredSession, TokenHash, WorkerName,
};

/// The time from which tests count.
pub const START: TimeMs = TimeMs(1_700_000_000_000);
/// The signature of an administrator.
pub fn signed() -> Signature {
    Signature { by: Some("ada".to_owned()), ip: "192.0.2.1".to_owned(), at: START }
}

/// The length of the leases that [`claim`] asks for.
pub const LEASE: Duration = Duration::from_secs(15);

/// The `number`th search.
pub fn search(number: u128) -> SearchId {
    SearchId::from_parts(START.0.unsigned_abs(), number)
}

/// A waiting job without a key.
pub fn job(kind: &str) -> NewJob {
    NewJob {
        kind: kind.to_owned(),
        key: None,
        payload: r#"{"version":1}"#.to_owned(),
        priority: 0,
        max_attempts: 3,
        created_at: START,
        run_at: START,
        now: START,
    }
}

/// The log job of a search.
pub fn log_job(id: SearchId) -> NewJob {
    NewJob { key: Some(id.to_string()), payload: format!(r#"{{"search":"{id}"}}"#), ..job("log_request") }
}

pub fn worker(name: &str) -> WorkerName {
    WorkerName(name.to_owned())
}

/// A claim of the worker `name` at `now`.
pub fn claim(name: &str, limit: u32, now: TimeMs) -> Claim {
    Claim { worker: worker(name), limit, now, lease_until: now.after(LEASE), wall: now }
}

/// The result of an attempt at `job`, which the worker `name` had claimed.
pub fn finished(job: &ClaimedJob, name: &str, result: AttemptResult, now: TimeMs) -> FinishedAttempt {
    FinishedAttempt { job: job.id, attempt: job.attempt, worker: worker(name), result, now, wall: now }
}

/// A report of the worker `name` that `job` is halfway done.
pub fn report(job: &ClaimedJob, name: &str) -> JobReport {
    JobReport {
        job: job.id,
        attempt: job.attempt,
        worker: worker(name),
        percent: 50,
        note: "halfway".to_owned(),
        part: None,
        result: None,
    }
}

/// A failure after which the job runs again in ten seconds.
pub fn retry(error: &str) -> AttemptResult {
    AttemptResult::Retry { error: error.to_owned(), after: Duration::from_secs(10) }
}

/// The log row of a search for `phrase`.
pub fn log_entry(id: SearchId, phrase: &str) -> LogEntry {
    log_entry_of(search_record(id, phrase))
}

pub fn log_entry_of(search: SearchRecord) -> LogEntry {
    LogEntry { search, job_id: JobId(1), recorded_at: START.after(Duration::from_millis(7)) }
}

/// A search for `phrase`.
pub fn search_record(id: SearchId, phrase: &str) -> SearchRecord {
    SearchRecord {
        id,
        phrase: phrase.to_owned(),
        letters: "aeiou".to_owned(),
        results: "{'e', 'i'}".to_owned(),
        ip: "127.0.0.1".to_owned(),
        browser_family: "Firefox".to_owned(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
        searched_at: START,
    }
}

/// The result of an attempt that no worker holds, for rows that no job has written.
pub fn no_attempt() -> FinishedAttempt {
    FinishedAttempt {
        job: JobId(0),
        attempt: 1,
        worker: worker("nobody"),
        result: AttemptResult::Done,
        now: START,
        wall: START,
    }
}

/// All rows of `span`.
pub fn log_query(span: LogSpan) -> LogQuery {
    LogQuery { span, limit: u32::MAX }
}

/// The stored account with exactly this name.
pub async fn account_of(store: &dyn Accounts, name: &str) -> Option<StoredAccount> {
    let accounts = store.accounts().await.expect("the store answers");
    accounts.into_iter().find(|account| account.name == name)
}

pub fn account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        role: Role::Admin,
        password_hash: format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${name}"),
        created_at: START,
    }
}

/// A token of 32 times the same byte.
pub fn token(byte: u8) -> TokenHash {
    TokenHash([byte; 32])
}

/// A session that expires after an idle minute, and after an hour in any case.
pub fn session(byte: u8, account_name: &str) -> StoredSession {
    StoredSession {
        token: token(byte),
        account_name: account_name.to_owned(),
        created_at: START,
        idle_until: START.after(Duration::from_secs(60)),
        ends_at: START.after(Duration::from_secs(3600)),
    }
}
