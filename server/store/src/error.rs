//! The three questions that an operator asks when the database fails.

/// What every store call may fail with. The text is for the operator; visitors never see it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or is locked, or its disk fails.
    #[error("is your database switched on? {0}")]
    Connection(String),
    /// The database refuses who we are, or the file's permissions do.
    #[error("user-id/password issues: {0}")]
    Credentials(String),
    /// The database was reached and refused the statement.
    #[error("is your query correct? {0}")]
    Sql(String),
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;
