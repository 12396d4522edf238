//! What the waiting lab can be told to do.

mod fetch;

use clap::{ArgMatches, Subcommand};

pub use fetch::{LabCompare, LabFlags, LabRequests, LabSecond};

#[derive(Clone, Debug, Subcommand)]
pub enum LabCommand {
    /// Download countries' flags, and print each code as it arrives
    Flags(LabFlags),
    /// Ask for numbers, each of which takes a second or two
    Second(LabSecond),
    /// Do the same in each style, one after the other, and compare
    Compare(LabCompare),
}

impl LabCommand {
    /// `matches` are those of `lab`.
    pub(super) fn forget_environment(&mut self, matches: &ArgMatches) {
        let Some((_, matches)) = matches.subcommand() else { return };
        match self {
            Self::Flags(LabFlags { requests, .. })
            | Self::Second(LabSecond { requests, .. })
            | Self::Compare(LabCompare { requests, .. }) => requests.forget_environment(matches),
        }
    }
}
