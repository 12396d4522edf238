//! What answering a request needs, made once at the start.

use std::sync::Arc;
use std::time::Duration;

use api::{SearchId, TimeMs};
use ipnet::IpNet;
use queue::Settings;
use spool::Spool;
use store::{Clock, Store, WorkerName};
use tokio_util::sync::CancellationToken;

use crate::accounts::{LoginLimit, Passwords};
use crate::lab::Lab;
use crate::platform::random::Random;
use crate::platform::sse::EventStreams;
use crate::search::ingest::Intake;
use crate::search::receipt::Receipts;
use crate::system::Prober;
use crate::system::metrics::Metrics;

/// Shared by all requests.
pub struct Environment {
    pub store: Arc<dyn Store>,
    /// Through which searches get into the store.
    pub intake: Arc<Intake>,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub receipts: Receipts,
    pub passwords: Passwords,
    pub login_limit: LoginLimit,
    pub metrics: Metrics,
    pub prober: Prober,
    pub jobs: JobsSection,
    /// Open unless told otherwise.
    pub lab: Lab,
    /// When the process started, by the wall clock.
    pub started_at: TimeMs,
    /// Peers whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpNet>,
    pub event_streams: EventStreams,
    /// Cancelled when the process is asked to stop: ends the event streams.
    pub stop: CancellationToken,
}

/// Where the records of searches go.
#[derive(Debug)]
pub struct IntakeSection {
    pub spool: Spool,
    /// How long a search waits for the store before its record goes to the spool.
    pub deadline: Duration,
}

/// What requests need to know of the workers.
#[derive(Clone, Debug)]
pub struct JobsSection {
    /// The worker of this process; none where it runs no jobs.
    pub worker: Option<WorkerSection>,
}

#[derive(Clone, Debug)]
pub struct WorkerSection {
    pub name: WorkerName,
    pub slots: u32,
}

impl WorkerSection {
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self { name: settings.worker.clone(), slots: u32::try_from(settings.slots).unwrap_or(u32::MAX) }
    }
}

impl JobsSection {
    #[must_use]
    pub fn runs_jobs(&self) -> bool {
        self.worker.is_some()
    }
}

impl Environment {
    /// Over `store`, with everything else as given or at its default.
    pub async fn new(
        store: Arc<dyn Store>,
        intake: IntakeSection,
        clock: Arc<dyn Clock>,
        random: Random,
        jobs: JobsSection,
        trusted_proxies: Vec<IpNet>,
    ) -> store::Result<Self> {
        let receipts = Receipts::new(&store.secret().await?);
        let IntakeSection { spool, deadline } = intake;
        Ok(Self {
            intake: Arc::new(Intake::new(store.clone(), spool, clock.clone(), deadline)),
            store,
            clock: clock.clone(),
            random: random.clone(),
            receipts,
            lab: Lab::new(None, clock.clone(), random.clone()),
            passwords: Passwords::new(random),
            login_limit: LoginLimit::new(clock.clone()),
            metrics: Metrics::default(),
            prober: Prober::default(),
            jobs,
            started_at: clock.wall(),
            trusted_proxies,
            event_streams: EventStreams::up_to(u32::MAX),
            stop: CancellationToken::new(),
        })
    }

    /// An id for a search whose asker made none.
    #[must_use]
    pub fn new_search_id(&self) -> SearchId {
        let unix_ms = u64::try_from(self.clock.wall().0).unwrap_or(0);
        SearchId::from_parts(unix_ms, u128::from_le_bytes(self.random.bytes()))
    }
}
