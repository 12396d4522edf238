//! What the waiting lab can be told to do.

mod fetch;
mod scenario;

use std::time::Duration;

use api::ApiError;
use clap::{ArgMatches, Subcommand};

pub use self::fetch::{LabCompare, LabFlags, LabRequests, LabSecond};
pub use self::scenario::{LabDatabase, LabRequest, LabSandbox};

#[derive(Clone, Debug, Subcommand)]
pub enum LabCommand {
    /// Download countries' flags, and print each code as it arrives
    Flags(LabFlags),
    /// Ask for numbers, each of which takes a second or two
    Second(LabSecond),
    /// Do the same in each style, one after the other, and compare
    Compare(LabCompare),
    /// Let many tasks share a few connections to the database, and see that every connection comes back
    ///
    /// The tasks only read. Where there is no database yet, they use an empty one in a temporary folder.
    Database(LabDatabase),
    /// Kill servers that write a search down: in a bare task, and as a job; and wait for one that awaits it
    ///
    /// In processes of their own, on temporary folders: no real data is touched.
    Request(LabRequest),
    /// One of the servers that `lab request` kills
    #[command(hide = true)]
    Sandbox(LabSandbox),
}

impl LabCommand {
    /// `matches` are those of `lab`.
    pub(crate) fn forget_environment(&mut self, matches: &ArgMatches) {
        let Some((_, matches)) = matches.subcommand() else { return };
        match self {
            Self::Flags(LabFlags { requests, .. })
            | Self::Second(LabSecond { requests, .. })
            | Self::Compare(LabCompare { requests, .. }) => requests.forget_environment(matches),
            Self::Database(_) | Self::Request(_) | Self::Sandbox(_) => {}
        }
    }
}

/// The flags have the names of the fields, but for what is said about their units.
fn by_flag(error: ApiError) -> String {
    let field = error.field.unwrap_or_default();
    let (flag, unit) = field.strip_suffix("_ms").map_or((&*field, ""), |flag| (flag, ", in milliseconds"));
    format!("--{}{unit}: {}", flag.trim_end_matches("_per_batch"), error.message)
}

fn whole_ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use api::ErrorCode;

    use super::*;

    #[test]
    fn who_asks_for_too_much_is_told_by_which_flag() {
        let said = |field| by_flag(ApiError::at(ErrorCode::Invalid, field, "Choose."));
        assert_eq!(said("hold_ms"), "--hold, in milliseconds: Choose.");
        assert_eq!(said("tasks_per_batch"), "--tasks: Choose.");
        assert_eq!(said("failing"), "--failing: Choose.");
    }
}
