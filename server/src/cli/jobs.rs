//! `jobs list`, `retry`, `cancel` and `delete`: what the page /jobs does, for all jobs that a filter matches.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, IsTerminal, stdin};

use anyhow::{Context, bail};
use api::{JobFilter, JobId, JobState};
use futures::{StreamExt, TryStreamExt, stream};
use store::{Clock, JobSelection, LOG_JOB, Signature, Store, StoredJob};
use tokio::task::spawn_blocking;

use super::config::Consent;
use crate::jobs::scan::scan;
use crate::jobs::summary;
use crate::platform::inert::to_json;
use crate::platform::output::{Stdout, print, say};
use crate::search::log_request::LogRequest;

/// How many jobs are read, and then acted on, at a time.
const CHUNK: u32 = 256;
/// How many actions wait for the database at the same time. They share its commits.
const AT_ONCE: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAct {
    Retry,
    Cancel,
    Delete,
}

/// Jobs of a database.
pub struct Jobs<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub filter: JobFilter,
}

impl Jobs<'_> {
    /// Prints at most `limit` jobs. Returns how many they were.
    pub async fn list(&self, limit: Option<u64>) -> anyhow::Result<u64> {
        Stdout::check_is_open()?;
        let (mut before, mut printed, limit) = (None, 0, limit.unwrap_or(u64::MAX));
        while printed < limit {
            let wanted = u32::try_from(limit - printed).unwrap_or(CHUNK).min(CHUNK);
            let (jobs, next) = self.chunk(before, wanted).await?;
            printed += jobs.len() as u64;
            let lines = jobs.iter().map(|job| to_json(&summary(job, LogRequest::search_of_job)) + "\n");
            print(&lines.collect::<String>())?;
            before = next;
            if before.is_none() {
                break;
            }
        }
        Ok(printed)
    }

    /// Acts on the jobs, the newest first, if there is consent. Returns how many matched.
    ///
    /// Each action is a transaction of its own. What was done stays done if the command is stopped, and the command can be
    /// run again. Jobs that are added meanwhile are left alone.
    pub async fn act(&self, act: JobAct, consent: Consent) -> anyhow::Result<u64> {
        Stdout::check_is_open()?;
        if consent == Consent::Ask && !stdin().is_terminal() {
            bail!(
                "nothing was changed: there is no terminal to ask on; add --yes, or --dry-run to see what would be done"
            );
        }
        let newest = self.store.jobs(JobSelection::default(), None, 1).await?.jobs.pop();
        let end = JobId(newest.map_or(0, |job| job.id.0) + 1);
        if consent != Consent::Given {
            let planned = self.walk(end, async |job| self.reason_against(act, job).await.map(Outcome::of)).await?;
            if consent == Consent::DryRun || planned.done == 0 {
                print(&format!("would be {}: {planned}; nothing was changed\n", act.done()))?;
                return Ok(planned.matching());
            }
            if !asked(format!("{} {planned}? Type yes: ", act.verb())).await? {
                print("nothing was changed\n")?;
                return Ok(planned.matching());
            }
        }
        let done = self.walk(end, async |job| self.carry_out(act, job).await).await?;
        print(&format!("{}: {done}\n", act.done()))?;
        Ok(done.matching())
    }

    async fn chunk(&self, before: Option<JobId>, limit: u32) -> store::Result<(Vec<StoredJob>, Option<JobId>)> {
        let found = scan(self.store, self.clock, LogRequest::search_of_job, &self.filter, before, limit).await?;
        Ok((found.jobs, found.next))
    }

    /// Calls `each` for the jobs that match and have a smaller number than `end`.
    async fn walk(
        &self,
        end: JobId,
        each: impl AsyncFn(&StoredJob) -> store::Result<Outcome>,
    ) -> anyhow::Result<Tally> {
        let (mut tally, mut before) = (Tally::default(), Some(end));
        loop {
            let (jobs, next) = self.chunk(before, CHUNK).await?;
            let outcomes = stream::iter(&jobs).map(|job| each(job)).buffer_unordered(AT_ONCE);
            let outcomes: Vec<Outcome> = outcomes.try_collect().await.with_context(|| {
                format!("stopped after at least {tally}; what was done stays done: run the command again")
            })?;
            outcomes.into_iter().for_each(|outcome| tally.add(outcome));
            before = next;
            if before.is_none() {
                return Ok(tally);
            }
        }
    }

    async fn carry_out(&self, act: JobAct, job: &StoredJob) -> store::Result<Outcome> {
        if let Some(reason) = self.reason_against(act, job).await? {
            return Ok(Outcome::Skipped(reason));
        }
        let by = Signature::of_command_line(self.clock.wall());
        let is_done = match act {
            JobAct::Retry => self.store.retry_job(job.id, self.clock.steady(), &by).await?,
            JobAct::Cancel => self.store.cancel_job(job.id, self.clock.wall(), Some(&by)).await?,
            JobAct::Delete => self.store.delete_job(job.id, Some(&by)).await?,
        };
        Ok(Outcome::of((!is_done).then_some("changed meanwhile")))
    }

    /// Why the job is left as it is.
    async fn reason_against(&self, act: JobAct, job: &StoredJob) -> store::Result<Option<&'static str>> {
        Ok(match act {
            JobAct::Retry => match job.state {
                JobState::Waiting => Some("waiting already"),
                JobState::Running => Some("running"),
                // Otherwise everything that ever went well would run again.
                JobState::Done if self.filter.state() != Some(JobState::Done) => {
                    Some("done: write state:done into the filter to run them again")
                }
                _ => None,
            },
            JobAct::Cancel => job.state.is_final().then_some("ended already"),
            JobAct::Delete if !job.state.is_final() => Some("not ended: cancel them first"),
            JobAct::Delete => match LogRequest::search_of_job(job) {
                _ if job.kind != LOG_JOB => None,
                Some(search) if self.store.log_row_of_search(search.id).await?.is_some() => None,
                _ => Some("the last trace of a search that is not in the log"),
            },
        })
    }
}

impl JobAct {
    fn verb(self) -> &'static str {
        match self {
            Self::Retry => "Retry",
            Self::Cancel => "Cancel",
            Self::Delete => "Delete",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Retry => "retried",
            Self::Cancel => "cancelled",
            Self::Delete => "deleted",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Done,
    Skipped(&'static str),
}

impl Outcome {
    fn of(reason_against: Option<&'static str>) -> Self {
        reason_against.map_or(Self::Done, Self::Skipped)
    }
}

/// How many jobs were acted on, and how many were not for which reason.
#[derive(Debug, Default)]
struct Tally {
    done: u64,
    skipped: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::Skipped(reason) => *self.skipped.entry(reason).or_default() += 1,
        }
    }

    fn matching(&self) -> u64 {
        self.done + self.skipped.values().sum::<u64>()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", counted(self.done))?;
        for (reason, count) in &self.skipped {
            write!(f, ", skipped {} ({reason})", counted(*count))?;
        }
        Ok(())
    }
}

fn counted(jobs: u64) -> String {
    format!("{} job{}", api::grouped(jobs), if jobs == 1 { "" } else { "s" })
}

/// Asks on a thread of its own: a signal ends the command while the thread waits for the answer.
async fn asked(question: String) -> anyhow::Result<bool> {
    say(&question);
    let read = || -> std::io::Result<String> {
        let mut line = String::new();
        stdin().lock().read_line(&mut line)?;
        Ok(line)
    };
    let line = spawn_blocking(read).await?.context("the answer cannot be read")?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_says_what_was_skipped_and_why() {
        let mut tally = Tally::default();
        let outcomes = [Outcome::Done, Outcome::Skipped("running"), Outcome::Skipped("running"), Outcome::Done];
        outcomes.into_iter().for_each(|outcome| tally.add(outcome));
        assert_eq!(tally.to_string(), "2 jobs, skipped 2 jobs (running)");
        assert_eq!((tally.matching(), Tally::default().to_string()), (4, "0 jobs".to_owned()));
    }
}
