//! The signature under a command.

use api::TimeMs;

/// The person behind a command, the address and the time. The store writes it into the audit in the transaction that
/// carries the command out; a command that cannot be carried out leaves no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the account. `None`: the command line.
    pub by: Option<String>,
    /// Empty on the command line, and where the address is not known.
    pub ip: String,
    /// By the wall clock.
    pub at: TimeMs,
}

impl Signature {
    pub fn of_command_line(at: TimeMs) -> Self {
        Self { by: None, ip: String::new(), at }
    }
}
