//! What the waiting lab can be told to do.

mod fetch;

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use api::{ApiError, DatabaseSpec, LabSpec, RequestSpec};
use clap::{ArgMatches, Args, Subcommand};

use super::{Config, duration};

pub use self::fetch::{LabCompare, LabFlags, LabRequests, LabSecond};

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
    /// Kill servers while they write a search down: one that awaits the write, one that has handed it to a bare task,
    /// and one that has made it a job
    ///
    /// In processes of their own, on temporary folders: no real data is touched.
    Request(LabRequest),
    /// One of the servers that `lab request` kills
    #[command(hide = true)]
    Sandbox(LabSandbox),
}

#[derive(Clone, Debug, Args)]
pub struct LabDatabase {
    /// How many batches; each begins when the one before has ended
    #[arg(long, default_value = "10", value_name = "N")]
    pub batches: NonZeroU32,
    /// How many tasks each batch starts at once
    #[arg(long, default_value = "100", value_name = "N")]
    pub tasks: NonZeroU32,
    /// How long each task keeps its connection
    #[arg(long, default_value = "10ms", value_name = "TIME", value_parser = duration)]
    pub hold: Duration,
    /// Of each hundred tasks, how many fail
    #[arg(long, default_value = "5", value_name = "N")]
    pub failing: u32,
    /// Of each hundred tasks, how many panic
    #[arg(long, default_value = "5", value_name = "N")]
    pub panicking: u32,
    /// Of each hundred tasks, how many are aborted while they hold a connection
    #[arg(long, default_value = "5", value_name = "N")]
    pub aborted: u32,
    /// Print what happened and what came of it as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct LabRequest {
    /// How long the write takes
    #[arg(long, default_value = "15s", value_name = "TIME", value_parser = duration)]
    pub delay: Duration,
    /// Print what happened and what came of it as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct LabSandbox {
    /// Its data folder. No flag or variable for a real server's data is heeded
    #[arg(long, value_name = "FOLDER")]
    pub folder: PathBuf,
    /// How long each write takes
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub delay: Duration,
}

impl LabCommand {
    /// `matches` are those of `lab`.
    pub(super) fn forget_environment(&mut self, matches: &ArgMatches) {
        let Some((_, matches)) = matches.subcommand() else { return };
        match self {
            Self::Flags(LabFlags { requests, .. })
            | Self::Second(LabSecond { requests, .. })
            | Self::Compare(LabCompare { requests, .. }) => requests.forget_environment(matches),
            Self::Database(_) | Self::Request(_) | Self::Sandbox(_) => {}
        }
    }
}

impl LabDatabase {
    /// What is asked for, or which flag is out of bounds.
    pub fn spec(&self) -> Result<DatabaseSpec, String> {
        let spec = DatabaseSpec {
            batches: self.batches.get(),
            tasks_per_batch: self.tasks.get(),
            hold_ms: whole_ms(self.hold),
            failing: self.failing,
            panicking: self.panicking,
            aborted: self.aborted,
        };
        LabSpec::Database(spec.clone()).check().map(|()| spec).map_err(by_flag)
    }
}

impl LabRequest {
    /// What is asked for, or that the flag is out of bounds.
    pub fn spec(&self) -> Result<RequestSpec, String> {
        let spec = RequestSpec { delay_ms: whole_ms(self.delay) };
        LabSpec::Request(spec.clone()).check().map(|()| spec).map_err(by_flag)
    }
}

impl LabSandbox {
    /// The configuration of its server: nothing in it is what was set for a real one.
    #[must_use]
    pub fn config(&self, usual: Config) -> Config {
        let mut config = usual;
        config.http.listen = (Ipv4Addr::LOCALHOST, 0).into();
        config.http.trusted_proxies.clear();
        config.store.data.clone_from(&self.folder);
        config.store.database_url = None;
        config.store.database_listen_url = None;
        config.spool.spool_mib = NonZeroU32::MIN;
        config.jobs.log_delay = self.delay;
        config.jobs.no_worker = false;
        config
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
    use super::*;

    #[test]
    fn who_asks_for_too_much_is_told_by_which_flag() {
        let database = |hold, tasks| LabDatabase {
            batches: NonZeroU32::MIN,
            tasks,
            hold: Duration::from_millis(hold),
            failing: 0,
            panicking: 0,
            aborted: 0,
            json: false,
        };
        assert!(database(10, NonZeroU32::MIN).spec().is_ok());
        let error = database(9_999, NonZeroU32::MIN).spec().expect_err("ten seconds");
        assert!(error.starts_with("--hold, in milliseconds: Choose from 0 to "), "{error}");
        let error = database(10, NonZeroU32::MAX).spec().expect_err("many");
        assert!(error.starts_with("--tasks: "), "{error}");
    }
}
