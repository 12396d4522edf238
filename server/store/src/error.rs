//! The errors of a store, each with one of the operator's three questions.

use std::fmt;

use api::FaultKind;

/// The error of every store call. The text is for the operator; visitors never see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The database is unreachable or locked, or its disk fails.
    Connection(String),
    /// Another transaction was in the way. The database has changed nothing, and a repetition is likely to succeed.
    Conflict(String),
    /// The database's file is damaged.
    Damaged(String),
    /// The database rejects the credentials, or the file's permissions deny access.
    Credentials(String),
    /// The database rejected the statement.
    Sql(String),
}

impl StoreError {
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Connection(_) | Self::Conflict(_) | Self::Damaged(_) => FaultKind::ConnectionError,
            Self::Credentials(_) => FaultKind::CredentialsError,
            Self::Sql(_) => FaultKind::SqlError,
        }
    }

    /// The database's own message.
    pub fn detail(&self) -> &str {
        match self {
            Self::Connection(detail)
            | Self::Conflict(detail)
            | Self::Damaged(detail)
            | Self::Credentials(detail)
            | Self::Sql(detail) => detail,
        }
    }
}

/// The error's name, the database's message, and what to do.
impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.kind().as_str(), self.detail(), self.kind().advice())
    }
}

impl std::error::Error for StoreError {}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_error_and_asks_the_operators_question() {
        for (error, name, question) in [
            (StoreError::Connection("locked".to_owned()), "ConnectionError: locked. ", "Is your database switched on?"),
            (StoreError::Credentials("refused".to_owned()), "CredentialsError: refused. ", "User-id/password issues"),
            (StoreError::Sql("no such table".to_owned()), "SqlError: no such table. ", "Is your query correct?"),
        ] {
            let text = error.to_string();
            assert!(text.starts_with(name) && text.contains(question), "{text}");
        }
    }
}
