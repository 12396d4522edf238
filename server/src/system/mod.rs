//! The state of the whole system, collected for the page /system, for /metrics and for /readyz.

mod health;
pub(crate) mod http;
mod machine;
mod metrics;
mod prober;
mod pruning;

use std::sync::Arc;
use std::time::Duration;

use api::{
    JobCounts, Ledger, LogSeq, MissingSearch, ProcessState, QueueState, SpoolState, SystemState, TimeMs, WorkerState,
};
use prometheus_client::metrics::counter::Counter;
use spool::Spool;
use store::{Clock, Description, PruningFailure, RetryingSearch, Store, StoredKind, StoredWorker, within};
use tokio_util::sync::CancellationToken;

use self::health::{HealthInputs, Runners, health};
use crate::platform::job::LocalWorker;
use crate::platform::output;
use crate::platform::store_watch::StoreWatch;

pub use machine::{disk, host, worker_state};
pub use metrics::Counters;
pub use prober::{Probe, Prober};
pub use pruning::Pruning;

/// The most missing searches that are listed.
const MISSING_LIMIT: u32 = 100;

/// A database that takes longer for a few small reads counts as unavailable.
const DEADLINE: Duration = Duration::from_secs(2);

pub struct SystemService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub spool: Arc<Spool>,
    pub watch: Arc<StoreWatch>,
    pub prober: Prober,
    /// `None` if this process runs no jobs.
    pub worker: Option<LocalWorker>,
    /// When the process started, by the wall clock.
    pub started_at: TimeMs,
    pub counters: Counters,
    /// Answered searches that could not be recorded anywhere.
    pub not_recorded: Counter,
    pub stop: CancellationToken,
}

/// All figures at one time.
struct SystemSnapshot {
    state: SystemState,
    /// `None` if the database does not answer.
    stats: Option<StoreStats>,
}

/// The figures of the store.
struct StoreStats {
    ledger: Ledger,
    counts: JobCounts,
    kinds: Vec<StoredKind>,
    workers: Vec<WorkerState>,
    pruning_of_workers: Vec<(String, PruningFailure)>,
    oldest_waiting: Option<TimeMs>,
    retrying: Option<RetryingSearch>,
    last_row: LogSeq,
    description: Description,
}

impl SystemService {
    /// Also requests a probe, whose outcome the next snapshot shows.
    async fn collect(&self) -> SystemSnapshot {
        let snapshot = self.snapshot().await;
        // Only now, so that no snapshot shows the probe that it has caused.
        self.prober.want();
        snapshot
    }

    async fn snapshot(&self) -> SystemSnapshot {
        // Before the store is read: a record that is replayed in between is counted twice, not missed.
        let spool = self.spool_state();
        let stats = within(&*self.clock, DEADLINE, self.stats()).await.map_err(|error| self.watch.failed(error)).ok();
        let ledger = stats.as_ref().map(|stats| stats.ledger.with_spooled(spool.records));
        let missing = match ledger.filter(|ledger| ledger.drift() != 0) {
            Some(_) => self.missing().await,
            None => Vec::new(),
        };
        let fault = self.watch.fault().map(|fault| fault.to_view());
        let description = stats.as_ref().map(|stats| stats.description.clone());
        let disk = machine::disk(self.spool.folder(), description.as_ref().map_or(0, |it| it.size_bytes));
        let workers = stats.as_ref().map(|stats| stats.workers.clone());
        let lost_lines = output::lost_lines();
        let health = health(&HealthInputs {
            fault: fault.clone(),
            spool: spool.clone(),
            disk: disk.clone(),
            ledger,
            retrying: stats.as_ref().and_then(|stats| stats.retrying.clone()),
            other_dead: stats.as_ref().map_or(0, |stats| stats.counts.dead.saturating_sub(stats.ledger.dead)),
            paused: stats.iter().flat_map(StoreStats::paused).collect(),
            runners: self.runners(stats.as_ref()),
            workers: workers.clone().unwrap_or_default(),
            probe: self.prober.last(),
            probe_failure: self.prober.failure(),
            probe_waits: self.prober.waits(self.clock.steady()),
            clock_ahead_ms: self.clock.machine_ahead_ms(),
            is_losing_log_lines: lost_lines.is_losing,
            pruning_failure: self.counters.pruning.failure(),
            pruning_of_workers: stats.as_ref().map(|stats| stats.pruning_of_workers.clone()).unwrap_or_default(),
            proxy_faults: self.counters.proxy_faults.current(self.clock.steady()),
            now: self.clock.wall(),
        });
        let state = SystemState {
            at: self.clock.wall(),
            health,
            fault,
            ledger,
            missing,
            queue: stats.as_ref().map(StoreStats::queue),
            workers,
            pool: self.store.pool(),
            disk,
            process: self.process(description, lost_lines.total),
            spool,
        };
        SystemSnapshot { state, stats }
    }

    async fn stats(&self) -> store::Result<StoreStats> {
        let store = &self.store;
        let (ledger, counts, kinds, known, time, oldest_waiting, retrying, last_row, description) = tokio::try_join!(
            store.ledger(),
            store.job_counts(),
            store.kinds(),
            store.workers(),
            store.time(),
            store.oldest_waiting(),
            store.oldest_retrying_search(),
            store.last_log_seq(),
            store.describe()
        )?;
        let pruning_of_workers = self.pruning_of_workers(&known);
        let workers = self.workers(known, time.unwrap_or_else(|| self.clock.steady()), counts.running);
        Ok(StoreStats {
            ledger,
            counts,
            kinds,
            workers,
            pruning_of_workers,
            oldest_waiting,
            retrying,
            last_row,
            description,
        })
    }

    /// How deleting goes in other processes that run jobs. Of this process it is known without its heartbeat.
    fn pruning_of_workers(&self, known: &[StoredWorker]) -> Vec<(String, PruningFailure)> {
        let own = self.worker.as_ref().map(|worker| &worker.name);
        let others = known.iter().map(|worker| &worker.beat).filter(|beat| Some(&beat.worker) != own);
        others.filter_map(|beat| Some((format!("{} on {}", beat.worker.0, beat.host), beat.pruning?))).collect()
    }

    async fn missing(&self) -> Vec<MissingSearch> {
        within(&*self.clock, DEADLINE, self.store.missing_searches(MISSING_LIMIT)).await.unwrap_or_default()
    }

    fn spool_state(&self) -> SpoolState {
        let state = self.spool.state();
        SpoolState {
            records: state.records,
            used_bytes: state.used_bytes,
            capacity_bytes: state.capacity_bytes,
            oldest_at: state.oldest_at,
            replayed: state.replayed,
            quarantined: state.quarantined,
            quarantine_file: (state.quarantined > 0).then(|| self.spool.quarantine_file().display().to_string()),
            not_recorded: self.not_recorded.get(),
            fault: state.fault,
        }
    }

    fn runners(&self, stats: Option<&StoreStats>) -> Runners {
        let is_shared = self.store.is_shared();
        let lives = stats.is_none_or(|stats| stats.workers.iter().any(|worker| !worker.is_silent));
        match (is_shared, self.worker.is_some() || (is_shared && lives)) {
            (_, true) => Runners::Some,
            (false, false) => Runners::NotThisProcess,
            (true, false) => Runners::Nobody,
        }
    }

    fn process(&self, description: Option<Description>, lost_log_lines: u64) -> ProcessState {
        let (database, schema) = description.map(|it| (it.engine, it.schema)).unwrap_or_default();
        ProcessState {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database,
            schema,
            pid: std::process::id(),
            started_at: self.started_at,
            memory_bytes: machine::memory_bytes(),
            connections: u64::try_from(self.counters.connections.get()).unwrap_or(0),
            event_streams: u64::try_from(self.counters.streams.get()).unwrap_or(0),
            lost_log_lines,
        }
    }
}

impl StoreStats {
    fn queue(&self) -> QueueState {
        QueueState {
            waiting: self.counts.waiting,
            running: self.counts.running,
            later: self.counts.scheduled + self.counts.retrying,
            oldest_waiting_at: self.oldest_waiting,
        }
    }

    fn paused(&self) -> impl Iterator<Item = String> {
        self.kinds.iter().filter(|kind| kind.paused).map(|kind| kind.kind.clone())
    }
}
