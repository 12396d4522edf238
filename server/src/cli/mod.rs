//! What the binary can be told to do.

mod admin;
mod check;
pub mod config;
mod copy;
mod export;
mod heartbeat;
mod meter;
mod prune;
mod sandbox;
mod serve;
mod service_manager;
mod spool;
pub(crate) mod stop_signal;
mod wait_for_database;
mod work;

pub use admin::{create_admin, print_link};
pub use check::{Finding, ServerFacts, check, check_server};
pub use copy::{Compared, Copied, Report, copy};
pub use export::{Exported, NewFile, export_lines, export_rows};
pub use meter::Meter;
pub use sandbox::{begin_sandbox, sandbox};
pub use serve::{Serving, serve};
pub use spool::{open_left_spool, replay_spool};
pub use wait_for_database::{NotOpened, wait_for_database};
pub use work::{Working, work};

/// A command that could not be carried out: a sentence for the operator, which names the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(pub String);

impl From<store::StoreError> for CommandError {
    fn from(error: store::StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<NotOpened> for CommandError {
    fn from(NotOpened { kind, message }: NotOpened) -> Self {
        Self(format!("{}: {message}", kind.as_str()))
    }
}
