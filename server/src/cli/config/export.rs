//! The flags of `export`.

use std::path::PathBuf;

use api::{FilterList, LogFilter, meant_filter};
use clap::{Args, ValueEnum};

use super::super::time_zone::NamedZone;
use super::database_url::PathParser;
use super::filter::{NoFilter, read_filter};

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

impl ExportArgs {
    /// The filter, and the zone of its times if it has times without an offset.
    pub fn filter(&self) -> Result<(LogFilter, Option<NamedZone>), NoFilter> {
        read_filter(&self.filter, FilterList::Log, self.time_zone.as_ref(), LogFilter::parse)
    }

    /// What the filter probably means, if it matches nothing.
    pub fn meant_filter(&self) -> Option<String> {
        meant_filter(&self.filter, FilterList::Log)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Ndjson,
    Csv,
    Sqlite,
}
