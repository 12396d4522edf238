//! The health status, and every cause for it, worst first.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::time::Duration;

use api::{
    DiskState, FaultKind, Health, HealthCause, HealthStatus, Ledger, Probe, SpoolState, StoreFault, TimeMs, WorkerState,
};

use store::{PruningFailure, RetryingSearch};

use crate::platform::forwarded::ProxyFault;

/// A probe that ended longer ago proves nothing.
const PROBE_HOLDS: Duration = Duration::from_secs(60);
/// A probe has the highest priority, so it waits for a free worker at most.
const PROBE_PATIENCE: Duration = Duration::from_secs(15);
/// How often writing a search has failed after about a minute: the pauses double from a second on.
const OFTEN: u32 = 7;
/// Network delays and time servers cause smaller differences between two clocks: beyond this, one of them is wrong.
pub(super) const SKEW_LIMIT_MS: i64 = 1_000;

// Parts of the page that shows the causes.
const SPOOL: &str = "/system#spool-title";
const LEDGER: &str = "/system#ledger-title";
const WORKERS: &str = "/system#workers-title";
const QUEUE: &str = "/system#queue-title";
const DISK: &str = "/system#disk-title";
const PROCESS: &str = "/system#process-title";
const KINDS: &str = "/jobs#kinds-title";

pub struct HealthInputs {
    pub fault: Option<StoreFault>,
    pub spool: SpoolState,
    /// `None` if the operating system does not report it.
    pub disk: Option<DiskState>,
    /// `None` if the database does not answer.
    pub ledger: Option<Ledger>,
    /// The oldest search that waits for another attempt at writing it.
    pub retrying: Option<RetryingSearch>,
    /// Dead jobs that are no searches.
    pub other_dead: u64,
    /// The paused kinds of jobs.
    pub paused: Vec<String>,
    pub runners: Runners,
    /// All workers that are known.
    pub workers: Vec<WorkerState>,
    /// The last completed probe.
    pub probe: Option<Probe>,
    /// Why the last probe came to nothing, if it did.
    pub probe_failure: Option<String>,
    /// How long the pending probe has been running or waiting.
    pub probe_waits: Option<Duration>,
    /// How far this machine's clock is ahead of the database's.
    pub clock_ahead_ms: i64,
    pub is_losing_log_lines: bool,
    pub pruning_failure: Option<PruningFailure>,
    /// The same of the workers in other processes, with the worker's name and machine.
    pub pruning_of_workers: Vec<(String, PruningFailure)>,
    /// What is wrong with the headers of proxies.
    pub proxy_faults: Vec<ProxyFault>,
    pub now: TimeMs,
}

/// Whether any worker runs jobs from this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runners {
    Some,
    /// Only this process could, and does not.
    NotThisProcess,
    /// No process does.
    Nobody,
}

pub fn health(inputs: &HealthInputs) -> Health {
    let mut causes = Causes(Vec::new());
    database_and_spool(inputs, &mut causes);
    ledger_and_jobs(inputs, &mut causes);
    workers(inputs, &mut causes);
    machine(inputs, &mut causes);
    let Causes(mut causes) = causes;
    // Stable: causes of one status keep their order.
    causes.sort_by_key(|cause| Reverse(cause.light));
    let is_probed = inputs.probe.is_some_and(|probe| probe.ended_at.after(PROBE_HOLDS) >= inputs.now);
    let light = match causes.first() {
        Some(worst) => worst.light,
        None if is_probed => HealthStatus::Healthy,
        None => HealthStatus::Checking,
    };
    Health { light, causes, probe: inputs.probe }
}

struct Causes(Vec<HealthCause>);

impl Causes {
    fn add(&mut self, light: HealthStatus, sentence: impl Into<String>) {
        self.0.push(HealthCause { light, sentence: sentence.into(), page: None });
    }

    /// A cause that an administrator can deal with on `page`.
    fn add_on(&mut self, light: HealthStatus, page: &str, sentence: impl Into<String>) {
        self.0.push(HealthCause { light, sentence: sentence.into(), page: Some(page.to_owned()) });
    }
}

fn database_and_spool(inputs: &HealthInputs, causes: &mut Causes) {
    let spool = &inputs.spool;
    match (&inputs.fault, &spool.fault) {
        (Some(fault), Some(reason)) => {
            let name = fault.kind.as_str();
            let sentence = format!("Searches are answered and not recorded. {name}; and the spool: {reason}.");
            causes.add_on(HealthStatus::Failing, SPOOL, sentence);
        }
        (Some(fault), None) => {
            let (name, records) = (fault.kind.as_str(), spool.records);
            let sentence = format!(
                "{name}: the database does not answer. Searches are answered and kept in the spool, {records} by now."
            );
            causes.add_on(HealthStatus::Degraded, SPOOL, sentence);
        }
        (None, Some(reason)) => {
            let sentence = format!("The spool cannot help out if the database stops answering: {reason}.");
            causes.add_on(HealthStatus::Degraded, SPOOL, sentence);
        }
        (None, None) if spool.records > 0 => {
            let age = spool.oldest_at.map_or(0, |oldest| inputs.now.since(oldest) / 1_000);
            let records = plural(spool.records, "search is on its", "searches are on their");
            let sentence = format!("{records} way from the spool to the database; the oldest is {age} s old.");
            causes.add_on(HealthStatus::Degraded, SPOOL, sentence);
        }
        (None, None) => {}
    }
    match spool.used_percent() {
        SpoolState::FULL_PERCENT.. => causes.add_on(
            HealthStatus::Failing,
            SPOOL,
            "The spool is full, or nearly: what does not fit is answered and not recorded. Bring the database back.",
        ),
        percent @ SpoolState::FILLING_PERCENT.. => {
            let sentence = format!("The spool is {percent} % full: bring the database back before it is full.");
            causes.add_on(HealthStatus::Degraded, SPOOL, sentence);
        }
        _ => {}
    }
    if spool.quarantined > 0 {
        let sentence = "Records were set aside: look into the file, deal with it, and move it away.";
        causes.add_on(HealthStatus::Degraded, SPOOL, sentence);
    }
}

fn ledger_and_jobs(inputs: &HealthInputs, causes: &mut Causes) {
    let drift = inputs.ledger.as_ref().map_or(0, Ledger::drift);
    let count = drift.unsigned_abs();
    if drift > 0 {
        let sentence = format!("{} neither in the log nor on the way.", plural(count, "search is", "searches are"));
        causes.add_on(HealthStatus::Failing, LEDGER, sentence);
    }
    if drift < 0 {
        let extra = plural(count, "search is", "searches are");
        let sentence = format!("{extra} in the log or the queue without having been accepted.");
        causes.add_on(HealthStatus::Degraded, LEDGER, sentence);
    }
    if let Some(RetryingSearch { error, .. }) = inputs.retrying.as_ref().filter(|it| it.attempts >= OFTEN) {
        let count = inputs.ledger.map_or(0, |ledger| ledger.retrying).max(1);
        let searches = plural(count, "search waits", "searches wait");
        // The error itself may be of no concern to those who may read this.
        let kind = FaultKind::ALL.into_iter().find(|kind| error.starts_with(kind.as_str()));
        let sentence = format!(
            "{searches} for the log, and writing fails again and again ({}): see why among the retrying jobs, and what \
             the database refuses with search4letters check.",
            kind.map_or("with an error of its own", FaultKind::as_str)
        );
        causes.add_on(HealthStatus::Degraded, "/jobs?state=retrying", sentence);
    }
    let dead = inputs.ledger.map_or(0, |ledger| ledger.dead);
    if dead > 0 {
        let searches = plural(dead, "search", "searches");
        let sentence = format!("{searches} could not be written: see why among the dead jobs, and retry them.");
        causes.add_on(HealthStatus::Degraded, "/jobs?state=dead", sentence);
    }
    if inputs.other_dead > 0 {
        let jobs = plural(inputs.other_dead, "other job is", "other jobs are");
        causes.add_on(
            HealthStatus::Degraded,
            "/jobs?state=dead",
            format!("{jobs} dead: see why, and retry or cancel."),
        );
    }
    if !inputs.paused.is_empty() {
        let kinds = inputs.paused.join(", ");
        let sentence = format!("Paused: {kinds}. These jobs wait until somebody resumes them among the jobs.");
        causes.add_on(HealthStatus::Degraded, KINDS, sentence);
    }
}

fn workers(inputs: &HealthInputs, causes: &mut Causes) {
    match inputs.runners {
        Runners::Some => {}
        Runners::NotThisProcess => causes.add_on(
            HealthStatus::Failing,
            WORKERS,
            "This process runs no jobs: it was started with --no-worker. Start it without, and searches reach the log.",
        ),
        Runners::Nobody => causes.add_on(
            HealthStatus::Failing,
            WORKERS,
            "No worker is there to run jobs: start one with search4letters work.",
        ),
    }
    let silent: Vec<_> = inputs.workers.iter().filter(|worker| worker.is_silent).collect();
    if !silent.is_empty() {
        let shown = |worker: &&WorkerState| {
            let seconds = inputs.now.since(worker.heard_at) / 1_000;
            format!("{} on {} for {seconds} s", worker.name, worker.host)
        };
        let names = silent.iter().map(shown).collect::<Vec<_>>().join(", ");
        let (count, all) = (silent.len(), inputs.workers.len());
        let sentence = format!(
            "{count} of {all} workers {} silent: {names}. See whether its process or its machine hangs or has ended.",
            if count == 1 { "is" } else { "are" }
        );
        causes.add_on(HealthStatus::Degraded, WORKERS, sentence);
    }
    // Without a worker, or while they are paused, probes wait for that reason.
    let can_run = inputs.runners == Runners::Some && !inputs.paused.iter().any(|kind| kind == "probe");
    if let Some(waits) = inputs.probe_waits.filter(|waits| can_run && *waits > PROBE_PATIENCE) {
        let seconds = waits.as_secs();
        let sentence = format!("A probe was handed in {seconds} s ago and no worker has come round to it.");
        causes.add_on(HealthStatus::Failing, QUEUE, sentence);
    }
    if let Some(why) = &inputs.probe_failure {
        causes.add_on(HealthStatus::Failing, "/jobs?kind=probe", format!("The last probe came to nothing: {why}."));
    }
}

fn machine(inputs: &HealthInputs, causes: &mut Causes) {
    if let Some(disk) = inputs.disk.as_ref().filter(|disk| disk.is_nearly_full()) {
        let mebibytes = disk.free_bytes >> 20;
        let sentence = format!(
            "The disk of the data folder has {mebibytes} MiB left: free some, or move the folder to a larger disk."
        );
        causes.add_on(HealthStatus::Degraded, DISK, sentence);
    }
    let ahead_ms = inputs.clock_ahead_ms;
    if ahead_ms.abs() >= SKEW_LIMIT_MS {
        let (seconds, where_) = (ahead_ms.abs() / 1_000, if ahead_ms > 0 { "ahead of" } else { "behind" });
        let sentence =
            format!("This machine's clock is {seconds} s {where_} the database's: set both by a time server.");
        causes.add(HealthStatus::Degraded, sentence);
    }
    if inputs.is_losing_log_lines {
        let sentence =
            "Log lines are being lost: nobody reads standard error, its reader has gone, or its disk is full.";
        causes.add_on(HealthStatus::Degraded, PROCESS, sentence);
    }
    // While the database does not answer, this is no news.
    if inputs.fault.is_none() {
        let own = inputs.pruning_failure.map(|failure| (String::new(), "the server's", failure));
        let others = inputs.pruning_of_workers.iter();
        let others = others.map(|(worker, failure)| (format!(" by the worker {worker}"), "its", *failure));
        for (by, whose, PruningFailure { in_a_row, kind }) in own.into_iter().chain(others) {
            let sentence = format!(
                "Old jobs and ended sessions could not be deleted{by} {in_a_row} times in a row ({}), so the database \
                 grows: see why in {whose} log, and what the database refuses with search4letters check.",
                kind.as_str()
            );
            causes.add(HealthStatus::Degraded, sentence);
        }
    }
    for fault in &inputs.proxy_faults {
        causes.add(HealthStatus::Degraded, fault.sentence());
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
