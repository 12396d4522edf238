//! The lab's scenarios: with the database, and with requests whose processes are killed.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use api::{DatabaseSpec, LabSpec, RequestSpec};
use clap::Args;

use super::{by_flag, whole_ms};
use crate::cli::config::duration;

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
    /// Print one JSON document instead
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct LabRequest {
    /// How long the write takes
    #[arg(long, default_value = "15s", value_name = "TIME", value_parser = duration)]
    pub delay: Duration,
    /// Print one JSON document instead
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
