//! The flags of `export`.

use std::path::PathBuf;

use api::{FilterError, LogFilter, meant_filter};
use clap::{Args, ValueEnum};

use super::super::time_zone::{NamedZone, NoZone};
use super::database_url::PathParser;

#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// NDJSON, CSV, or an SQLite file with the table log
    #[arg(long, default_value = "ndjson")]
    pub format: ExportFormat,
    /// The file to make, which is there once it is whole; standard output, unless given
    #[arg(long, value_name = "FILE", required_if_eq("format", "sqlite"), value_parser = PathParser)]
    pub output: Option<PathBuf>,
    /// Only the rows that this filter matches, written as on the page of the log; docs/log.md has its grammar
    // A filter may begin with a minus.
    #[arg(long, value_name = "FILTER", default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// The zone of the filter's times that have no offset, for instance Europe/Berlin; the machine's (TZ), unless given
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<NamedZone>,
}

/// Why a filter in a flag is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoFilter {
    #[error("invalid value for '--filter <FILTER>': {error}\n  {text}\n  {}", marks(error))]
    Wrong { text: String, error: FilterError },
    #[error("invalid value for '--filter <FILTER>': {0}")]
    NoZone(#[from] NoZone),
}

/// Carets below the wrong characters.
fn marks(error: &FilterError) -> String {
    " ".repeat(error.at.start) + &"^".repeat(error.at.len().max(1))
}

impl ExportArgs {
    /// The filter, and the zone of its times if it has times without an offset.
    pub fn filter(&self) -> Result<(LogFilter, Option<NamedZone>), NoFilter> {
        let text = &self.filter;
        let zone = NamedZone::of_filter(text, self.time_zone.as_ref())?;
        let filter = match &zone {
            Some(zone) => LogFilter::parse(text, zone),
            None => text.parse(),
        };
        filter.map(|filter| (filter, zone)).map_err(|error| NoFilter::Wrong { text: text.clone(), error })
    }

    /// What the filter probably means, if it matches nothing.
    pub fn meant_filter(&self) -> Option<String> {
        meant_filter(&self.filter)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Ndjson,
    Csv,
    Sqlite,
}
