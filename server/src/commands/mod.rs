//! What the binary can be told to do.

mod admin;
mod check;
mod copy;
mod serve;

pub use admin::{create_admin, print_link};
pub use check::{Finding, check};
pub use copy::{Compared, Copied, Meter, Report, copy};
pub use serve::{Serving, serve};

/// A command that could not be carried out: a sentence for the operator, which names the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(pub String);

impl From<store::StoreError> for CommandError {
    fn from(error: store::StoreError) -> Self {
        Self(error.to_string())
    }
}
