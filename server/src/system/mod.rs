//! How the whole is doing: gathered for the page /system, for /metrics and for /readyz.

pub(crate) mod events;
mod health;
pub(crate) mod http;
mod machine;
pub mod metrics;
pub(crate) mod probe;
mod prober;
mod workers;

use std::time::Duration;

use api::{
    JobCounts, Ledger, LogSeq, MissingSearch, ProcessState, QueueState, SpoolState, SystemState, TimeMs, WorkerState,
};
use store::{Description, StoredKind, within};

use crate::app_state::Environment;
use health::{Runners, Signs, health};

pub(crate) use machine::host;
pub use prober::Prober;

/// The most missing searches that are listed.
const MISSING_LIMIT: u32 = 100;

/// A database that takes longer for a few small reads does not answer, as far as people who look are concerned.
const DEADLINE: Duration = Duration::from_secs(2);

/// All figures at one time.
pub struct Gathered {
    pub state: SystemState,
    /// None where the database does not answer.
    pub counts: Option<JobCounts>,
    pub kinds: Vec<StoredKind>,
    pub last_row: Option<LogSeq>,
}

/// Asks everybody. Also asks for a probe, which the next gathering will know of.
pub async fn gather(env: &Environment) -> Gathered {
    // Before the store is asked: what is replayed meanwhile is then in both, which adds up, and not in neither.
    let spool = spool(env);
    let figures =
        within(&*env.clock, DEADLINE, figures(env)).await.map_err(|error| env.intake.watch().failed(error)).ok();
    // Only now, so that nobody's figures tell of a probe that they have brought about.
    env.prober.want();
    let ledger = figures.as_ref().map(|figures| Ledger {
        accepted: figures.ledger.accepted + spool.records,
        spooled: spool.records,
        ..figures.ledger
    });
    let missing = match ledger.filter(|ledger| ledger.drift() != 0) {
        Some(_) => missing(env).await,
        None => Vec::new(),
    };
    let fault = env.intake.watch().fault().map(|fault| fault.shown());
    let health = health(&Signs {
        fault: fault.clone(),
        spool: spool.clone(),
        ledger,
        paused: figures.iter().flat_map(Figures::paused).collect(),
        runners: runners(env, figures.as_ref()),
        probe: env.prober.last(),
        probe_waits: env.prober.waits(env.clock.steady()),
        now: env.clock.wall(),
    });
    let description = figures.as_ref().map(|figures| figures.description.clone());
    let state = SystemState {
        at: env.clock.wall(),
        health,
        fault,
        ledger,
        missing,
        queue: figures.as_ref().map(Figures::queue),
        workers: figures.as_ref().map(|figures| figures.workers.clone()),
        pool: env.store.pool(),
        disk: machine::disk(env.intake.spool().folder(), description.as_ref().map_or(0, |it| it.size_bytes)),
        process: process(env, description),
        spool,
    };
    Gathered {
        state,
        counts: figures.as_ref().map(|it| it.counts),
        last_row: figures.as_ref().map(|it| it.last_row),
        kinds: figures.map(|it| it.kinds).unwrap_or_default(),
    }
}

/// What the store says.
struct Figures {
    ledger: Ledger,
    counts: JobCounts,
    kinds: Vec<StoredKind>,
    workers: Vec<WorkerState>,
    oldest_waiting: Option<TimeMs>,
    last_row: LogSeq,
    description: Description,
}

impl Figures {
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

async fn figures(env: &Environment) -> store::Result<Figures> {
    let store = &env.store;
    let (ledger, counts, kinds, known, time, oldest_waiting, last_row, description) = tokio::try_join!(
        store.ledger(),
        store.job_counts(),
        store.kinds(),
        store.workers(),
        store.time(),
        store.oldest_waiting(),
        store.last_log_seq(),
        store.describe()
    )?;
    let workers = workers::workers(env, known, time.unwrap_or_else(|| env.clock.steady()), counts.running);
    Ok(Figures { ledger, counts, kinds, workers, oldest_waiting, last_row, description })
}

async fn missing(env: &Environment) -> Vec<MissingSearch> {
    within(&*env.clock, DEADLINE, env.store.missing_searches(MISSING_LIMIT)).await.unwrap_or_default()
}

fn spool(env: &Environment) -> SpoolState {
    let spool = env.intake.spool();
    let state = spool.state();
    SpoolState {
        records: state.records,
        used_bytes: state.used_bytes,
        capacity_bytes: state.capacity_bytes,
        oldest_at: state.oldest_at,
        replayed: state.replayed,
        quarantined: state.quarantined,
        quarantine_file: (state.quarantined > 0).then(|| spool.quarantine_file().display().to_string()),
        not_recorded: env.metrics.not_recorded(),
        fault: state.fault,
    }
}

fn runners(env: &Environment, figures: Option<&Figures>) -> Runners {
    let is_shared = env.store.is_shared();
    let lives = figures.is_none_or(|figures| figures.workers.iter().any(|worker| !worker.is_silent));
    match (is_shared, env.jobs.runs_jobs() || (is_shared && lives)) {
        (_, true) => Runners::Some,
        (false, false) => Runners::NotThisProcess,
        (true, false) => Runners::Nobody,
    }
}

fn process(env: &Environment, description: Option<Description>) -> ProcessState {
    let (database, schema) = description.map(|it| (it.engine, it.schema)).unwrap_or_default();
    ProcessState {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database,
        schema,
        pid: std::process::id(),
        started_at: env.started_at,
        memory_bytes: machine::memory_bytes(),
        connections: u64::try_from(env.metrics.connections.get()).unwrap_or(0),
        event_streams: u64::try_from(env.metrics.streams.get()).unwrap_or(0),
    }
}
