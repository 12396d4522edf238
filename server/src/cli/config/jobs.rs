//! The flags of `jobs`.

use api::{FilterList, JobFilter, meant_filter};
use clap::{Args, Subcommand};

use super::super::time_zone::NamedZone;
use super::filter::{NoFilter, read_filter};
use crate::cli::JobAct;

#[derive(Clone, Debug, Subcommand)]
pub enum JobsCommand {
    /// Print jobs as lines of JSON, the newest first
    List(ListArgs),
    /// Let jobs that failed, were cancelled or wait for a later time run now
    Retry(ActArgs),
    /// Cancel jobs, and stop those that run
    Cancel(ActArgs),
    /// Delete jobs that have ended, except the last trace of a search
    Delete(ActArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Only the jobs that this filter matches, written as on the page of the jobs; docs/jobs.md has its grammar
    // A filter may begin with a minus.
    #[arg(long, value_name = "FILTER", default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// The zone of the filter's times that have no offset, for instance Europe/Berlin; the machine's (TZ), unless given
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<NamedZone>,
    /// Print at most this many jobs
    #[arg(long, value_name = "JOBS")]
    pub limit: Option<u64>,
}

#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// The jobs to act on, written as on the page of the jobs; docs/jobs.md has the grammar, and '' is all jobs
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: String,
    /// The zone of the filter's times that have no offset, for instance Europe/Berlin; the machine's (TZ), unless given
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<NamedZone>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before jobs are changed
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

/// Whether jobs may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing is changed.
    DryRun,
    /// It is asked for on the terminal.
    Ask,
    Given,
}

impl ActArgs {
    pub fn consent(&self) -> Consent {
        match (self.dry_run, self.yes) {
            (true, _) => Consent::DryRun,
            (false, false) => Consent::Ask,
            (false, true) => Consent::Given,
        }
    }
}

impl JobsCommand {
    /// The filter, and the zone of its times if it has times without an offset.
    pub fn filter(&self) -> Result<(JobFilter, Option<NamedZone>), NoFilter> {
        let (text, zone) = self.written();
        read_filter(text, FilterList::Jobs, zone, JobFilter::parse)
    }

    /// What the filter probably means, if it matches nothing.
    pub fn meant_filter(&self) -> Option<String> {
        meant_filter(self.written().0, FilterList::Jobs)
    }

    fn written(&self) -> (&str, Option<&NamedZone>) {
        match self {
            Self::List(ListArgs { filter, time_zone, .. })
            | Self::Retry(ActArgs { filter, time_zone, .. })
            | Self::Cancel(ActArgs { filter, time_zone, .. })
            | Self::Delete(ActArgs { filter, time_zone, .. }) => (filter, time_zone.as_ref()),
        }
    }

    /// What to do with the jobs, and whether it may be done. `None` if they are only listed.
    pub fn act(&self) -> Option<(JobAct, Consent)> {
        match self {
            Self::List(_) => None,
            Self::Retry(args) => Some((JobAct::Retry, args.consent())),
            Self::Cancel(args) => Some((JobAct::Cancel, args.consent())),
            Self::Delete(args) => Some((JobAct::Delete, args.consent())),
        }
    }
}
