//! Ingests the records of searches: into the store, or into the spool if the store does not answer in time. Both have
//! deadlines, so no search waits long.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use queue::Payload;
use spool::{AppendError, Record, Spool};
use store::{Accepted, Clock, NewJob, Store, within};

use super::log_request::LogRequest;
use crate::platform::store_watch::StoreWatch;

/// The log must be written, so its job is retried for more than two hours before it is given up, and then stays visible
/// as dead. Attempts whose process died do not count; see [`store::JobQueue::rescue_orphans`].
const MAX_ATTEMPTS: u32 = 20;

/// How long a search waits for the spool's disk.
const SPOOL_DEADLINE: Duration = Duration::from_secs(5);

/// Where the records of searches go.
#[derive(Debug)]
pub struct IngestSettings {
    pub spool: Spool,
    /// How long a search waits for the store before its record goes to the spool.
    pub deadline: Duration,
}

pub struct Ingest {
    pub(super) store: Arc<dyn Store>,
    pub(super) spool: Arc<Spool>,
    pub(super) clock: Arc<dyn Clock>,
    deadline: Duration,
    pub(super) watch: Arc<StoreWatch>,
}

/// What happened to a record.
#[derive(Debug)]
pub enum IngestOutcome {
    /// The store has answered.
    Stored(Accepted),
    /// Durable in the spool.
    Spooled,
    /// The spool already has a record of this search.
    AlreadySpooled(Arc<Record>),
    /// Neither could take it.
    Lost,
}

impl Ingest {
    pub fn new(store: Arc<dyn Store>, settings: IngestSettings, clock: Arc<dyn Clock>) -> Self {
        let IngestSettings { spool, deadline } = settings;
        Self { store, spool: Arc::new(spool), watch: Arc::new(StoreWatch::new(clock.clone())), clock, deadline }
    }

    pub fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }

    /// Whether the store answers, as far as is known.
    pub fn watch(&self) -> &Arc<StoreWatch> {
        &self.watch
    }

    /// Makes the record durable, if possible.
    pub async fn ingest(&self, record: Record) -> IngestOutcome {
        loop {
            if let Some(spooled) = self.spool.find(record.search) {
                return IngestOutcome::AlreadySpooled(spooled);
            }
            // No search waits for a store that is known to fail. The replay notices when it answers again.
            if self.watch.fault().is_none() {
                // The store may still take the record after the deadline. The replay then changes nothing.
                match within(&*self.clock, self.deadline, accept(&*self.store, &*self.clock, &record)).await {
                    Ok(accepted) => return IngestOutcome::Stored(accepted),
                    Err(error) => self.watch.failed(error),
                }
            }
            match self.append(record.clone()).await {
                Ok(()) => return IngestOutcome::Spooled,
                // Another request for the same search came first. If it was replayed meanwhile, the store knows it.
                Err(AppendError::Exists) => {}
                Err(error) => {
                    tracing::error!(%error, search = %record.search, "a search was answered and could not be recorded");
                    return IngestOutcome::Lost;
                }
            }
        }
    }

    async fn append(&self, record: Record) -> Result<(), AppendError> {
        let time_is_up = self.clock.sleep_until(self.clock.steady().after(SPOOL_DEADLINE));
        tokio::select! {
            biased;
            appended = self.spool.append(record) => appended,
            () = time_is_up => {
                Err(AppendError::Io { reason: format!("no answer within {} s", SPOOL_DEADLINE.as_secs()) })
            }
        }
    }
}

pub(super) async fn accept(store: &dyn Store, clock: &dyn Clock, record: &Record) -> store::Result<Accepted> {
    store.accept(record.search, log_job(record, clock.steady())).await
}

/// The job that writes the record's row.
fn log_job(record: &Record, now: TimeMs) -> NewJob {
    NewJob {
        kind: LogRequest::KIND.to_owned(),
        key: Some(record.search.to_string()),
        payload: record.payload.clone(),
        priority: 0,
        max_attempts: MAX_ATTEMPTS,
        created_at: record.searched_at,
        run_at: now,
        now,
    }
}
