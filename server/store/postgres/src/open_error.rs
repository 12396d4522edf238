//! Why a database cannot be used. Errors say in one sentence what is wrong and how to fix it.

use api::FaultKind;
use store::StoreError;

use crate::error::store_error;

/// Why the database cannot be used. Each text names what to do about it. None contains the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database's URL cannot be read: {0}. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Url(String),
    #[error("{location} cannot be connected to: {}. {fix}", reason.detail())]
    Connect { location: String, reason: StoreError, fix: String },
    #[error("{location} runs PostgreSQL {version}; this program needs 13 or later. Upgrade the server")]
    OldServer { location: String, version: String },
    #[error(
        "{location} was written by a newer version (schema {version}; this one knows up to {known}). Install that version or a later one"
    )]
    NewerSchema { location: String, version: i64, known: i64 },
    #[error(
        "{location} was written by an older version (schema {version}; this one needs {known}). Start the new server, or run `search4letters migrate`"
    )]
    OlderSchema { location: String, version: i64, known: i64 },
    #[error("{location} is empty. Run `search4letters migrate`, or start the server: either makes the tables")]
    Empty { location: String },
    #[error(
        "{location} holds a copy that is not finished. Finish it with `search4letters copy --from {from} --to URL`, with this database's URL, or use another database"
    )]
    UnfinishedCopy { location: String, from: String },
    #[error("{location} is in use by a server. Stop it, and whatever else uses that database, before it is copied")]
    Served { location: String },
    #[error("{location} cannot be brought up to date: {}. See that this user may create tables in it: it is easiest to let it own the database", reason.detail())]
    Migration { location: String, reason: StoreError },
    #[error("{location} cannot be used: {reason}")]
    Unfit { location: String, kind: FaultKind, reason: String },
    #[error("{location} cannot be used: {reason}")]
    Other { location: String, reason: StoreError },
}

impl OpenError {
    /// Which of the operator's three questions to ask.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Url(_) => FaultKind::CredentialsError,
            Self::Served { .. } => FaultKind::ConnectionError,
            Self::OldServer { .. }
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::Empty { .. }
            | Self::UnfinishedCopy { .. } => FaultKind::SqlError,
            Self::Unfit { kind, .. } => *kind,
            Self::Connect { reason, .. } | Self::Migration { reason, .. } | Self::Other { reason, .. } => reason.kind(),
        }
    }
}

/// An [`OpenError`] before it knows its location.
pub(crate) enum OpenFailure {
    OldServer(String),
    NewerSchema { version: i64, known: i64 },
    OlderSchema { version: i64, known: i64 },
    Empty,
    UnfinishedCopy { source: String },
    Served,
    Unfit { kind: FaultKind, reason: String },
    Migration(StoreError),
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for OpenFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl OpenFailure {
    pub(crate) fn with_location(self, location: String) -> OpenError {
        match self {
            Self::OldServer(version) => OpenError::OldServer { location, version },
            Self::NewerSchema { version, known } => OpenError::NewerSchema { location, version, known },
            Self::OlderSchema { version, known } => OpenError::OlderSchema { location, version, known },
            Self::Empty => OpenError::Empty { location },
            Self::UnfinishedCopy { source } => OpenError::UnfinishedCopy { location, from: source },
            Self::Served => OpenError::Served { location },
            Self::Unfit { kind, reason } => OpenError::Unfit { location, kind, reason },
            Self::Migration(reason) => OpenError::Migration { location, reason },
            Self::Sqlx(error) => OpenError::Other { location, reason: store_error(error) },
        }
    }
}
