//! `search4letters lab`: the waiting lab on the command line.

mod arrivals;
mod database;
mod fetch;
mod fetch_args;
mod report;
mod request;
mod waterfall;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use api::{ApiError, LabEvent, LabSpec, LabTrace};
use clap::{ArgMatches, Args, Subcommand};
use lab::EventSink;
use serde::Serialize;

pub use self::database::{LabDatabase, lab_database};
pub use self::fetch::{lab_compare, lab_flags, lab_second};
pub use self::fetch_args::{LabCompare, LabFlags, LabSecond};
pub use self::request::{LabRequest, lab_request};
use crate::platform::output::{PrintError, print};

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
    /// Drops what clap took from the server's environment variables. `matches` are those of `lab`.
    pub fn forget_environment(&mut self, matches: &ArgMatches) {
        let Some((_, matches)) = matches.subcommand() else { return };
        match self {
            Self::Flags(LabFlags { requests, .. })
            | Self::Second(LabSecond { requests, .. })
            | Self::Compare(LabCompare { requests, .. }) => requests.forget_environment(matches),
            Self::Database(_) | Self::Request(_) | Self::Sandbox(_) => {}
        }
    }
}

/// Parses the duration in a flag.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write a number and its unit, for instance 15s"))
}

/// Runs a scenario and returns its result and its trace. `see` gets each event once the trace has it.
async fn follow<T>(run: impl AsyncFnOnce(EventSink) -> T, mut see: impl FnMut(&LabTrace, &LabEvent)) -> (T, LabTrace) {
    let (sink, mut events) = EventSink::begin();
    let follow = async {
        let mut trace = LabTrace::default();
        while let Some(event) = events.recv().await {
            trace.apply(event.clone());
            see(&trace, &event);
        }
        trace
    };
    tokio::join!(run(sink), follow)
}

/// Checks the bounds of the spec. The error names the flag: flags are named like the fields, without their units.
fn check(spec: &LabSpec) -> anyhow::Result<()> {
    spec.check().map_err(|ApiError { field, message, .. }| {
        let field = field.unwrap_or_default();
        let (flag, unit) = field.strip_suffix("_ms").map_or((&*field, ""), |flag| (flag, ", in milliseconds"));
        anyhow!("--{}{unit}: {message}", flag.trim_end_matches("_per_batch"))
    })
}

fn whole_ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}

fn print_json(document: &impl Serialize) -> Result<(), PrintError> {
    print(&format!("{}\n", serde_json::to_string(document).expect("the lab's documents have a JSON form")))
}
