//! Maps SQLite's errors to those of a store.

use store::StoreError;

/// SQLite's primary result codes, as <https://www.sqlite.org/rescode.html> numbers them.
mod code {
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const PROTOCOL: i32 = 15;
    pub(super) const AUTH: i32 = 23;
    pub(super) const NOTADB: i32 = 26;
}

/// The causes that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Full,
    Damaged,
    Busy,
    Unreachable,
    Refused,
    Statement,
}

pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let text = error.to_string();
    match cause(&error) {
        Cause::Full | Cause::Busy | Cause::Unreachable => StoreError::Connection(text),
        Cause::Damaged => StoreError::Damaged(text),
        Cause::Refused => StoreError::Credentials(text),
        Cause::Statement => StoreError::Sql(text),
    }
}

pub(crate) fn cause(error: &sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Database(error) => cause_of_code(error.code().as_deref()),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Cause::Unreachable
        }
        _ => Cause::Statement,
    }
}

fn cause_of_code(extended: Option<&str>) -> Cause {
    // The low byte of an extended code is its primary code.
    match extended.and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff) {
        Some(code::FULL) => Cause::Full,
        Some(code::CORRUPT | code::NOTADB) => Cause::Damaged,
        Some(code::BUSY | code::LOCKED) => Cause::Busy,
        Some(code::IOERR | code::CANTOPEN | code::PROTOCOL) => Cause::Unreachable,
        Some(code::PERM | code::READONLY | code::AUTH) => Cause::Refused,
        _ => Cause::Statement,
    }
}
