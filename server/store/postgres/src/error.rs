//! Maps PostgreSQL's errors to those of a store.

use store::StoreError;

/// Codes as <https://www.postgresql.org/docs/current/errcodes-appendix.html> names them.
mod code {
    pub(super) const INVALID_CATALOG_NAME: &str = "3D000";
    pub(super) const OBJECT_NOT_IN_PREREQUISITE_STATE: &str = "55000";
    pub(super) const INSUFFICIENT_PRIVILEGE: &str = "42501";
    pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(super) const READ_ONLY_SQL_TRANSACTION: &str = "25006";
    pub(super) const DEADLOCK_DETECTED: &str = "40P01";
    pub(super) const SERIALIZATION_FAILURE: &str = "40001";
    pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub(super) const IDLE_IN_TRANSACTION_SESSION_TIMEOUT: &str = "25P03";
    pub(super) const IDLE_SESSION_TIMEOUT: &str = "57P05";
    pub(super) const DATA_CORRUPTED: &str = "XX001";
    pub(super) const INDEX_CORRUPTED: &str = "XX002";
}

pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let text = text(&error);
    match &error {
        sqlx::Error::Database(error) => by_code(error.code().as_deref().unwrap_or_default(), text),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::Connection(text),
        _ => StoreError::Sql(text),
    }
}

/// Lets `?` convert the errors of both layers.
pub(crate) struct Error(StoreError);

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self(store_error(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Error> for StoreError {
    fn from(Error(error): Error) -> Self {
        error
    }
}

fn by_code(code: &str, text: String) -> StoreError {
    match code {
        code::DATA_CORRUPTED | code::INDEX_CORRUPTED => StoreError::Damaged(text),
        code::DEADLOCK_DETECTED | code::SERIALIZATION_FAILURE => {
            StoreError::Conflict(format!("another transaction was in the way: {text}"))
        }
        code::TOO_MANY_CONNECTIONS => StoreError::Connection(format!(
            "{text}; raise the limit that it names (max_connections, or that of `alter role` or `alter database` ... \
             connection limit), or lower --database-connections of each process"
        )),
        code::INSUFFICIENT_PRIVILEGE => StoreError::Credentials(text),
        // The server has no database of this name, so there is nothing to connect to.
        code::INVALID_CATALOG_NAME
        // The database takes no connections: nothing of ours can be in a wrong state.
        | code::OBJECT_NOT_IN_PREREQUISITE_STATE
        // A replica takes no writes, so it is the wrong server.
        | code::READ_ONLY_SQL_TRANSACTION
        | code::LOCK_NOT_AVAILABLE
        | code::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | code::IDLE_SESSION_TIMEOUT => StoreError::Connection(text),
        // User name or password.
        _ if code.starts_with("28") => StoreError::Credentials(text),
        // Connection, resources, operator intervention or timeout, system error: the statement itself is right.
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => StoreError::Connection(text),
        _ => StoreError::Sql(text),
    }
}

/// The server's message without sqlx's prefix.
fn text(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => match error.code() {
            Some(code) => format!("{} ({code})", error.message()),
            None => error.message().to_owned(),
        },
        sqlx::Error::Io(error) => format!("the PostgreSQL server cannot be reached: {error}"),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use api::FaultKind::{ConnectionError, CredentialsError, SqlError};

    use super::*;

    #[test]
    fn a_limit_that_is_reached_is_named_with_its_remedy() {
        let error = by_code("53300", "too many connections for role \"app\" (53300)".to_owned());
        assert!(error.detail().contains("for role \"app\"") && error.detail().contains("--database-connections"));
    }

    #[test]
    fn each_code_raises_one_of_the_three_questions() {
        for (code, kind) in [
            ("28P01", CredentialsError),
            ("28000", CredentialsError),
            ("42501", CredentialsError),
            ("3D000", ConnectionError),
            ("55000", ConnectionError),
            ("53300", ConnectionError),
            ("53100", ConnectionError),
            ("57014", ConnectionError),
            ("57P01", ConnectionError),
            ("57P03", ConnectionError),
            ("08006", ConnectionError),
            ("25006", ConnectionError),
            ("25P03", ConnectionError),
            ("40001", ConnectionError),
            ("40P01", ConnectionError),
            ("42P01", SqlError),
            ("42703", SqlError),
            ("23505", SqlError),
            ("", SqlError),
        ] {
            assert_eq!(by_code(code, String::new()).kind(), kind, "{code}");
        }
    }
}
