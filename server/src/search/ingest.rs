//! Takes the records of searches: into the store, or else, when it does not answer in time,
//! into the spool. Whoever searches waits for neither longer than a moment.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use queue::Payload;
use spool::{AppendError, Record, Spool};
use store::{Accepted, Clock, NewJob, Store, within};

use crate::platform::store_watch::StoreWatch;
use crate::search::log_request::LogRequest;

/// The log must be written, so its job is tried for two hours and more before it is given up,
/// and stays visible as dead even then. Processes that die do not count; see
/// [`store::JobQueue::rescue_orphans`].
const MAX_ATTEMPTS: u32 = 20;

/// A disk that has not taken a line by then will not take it in the visitor's time.
const SPOOL_DEADLINE: Duration = Duration::from_secs(5);

pub struct Intake {
    pub(super) store: Arc<dyn Store>,
    pub(super) spool: Spool,
    pub(super) clock: Arc<dyn Clock>,
    /// How long a search waits for the store.
    deadline: Duration,
    pub(super) watch: StoreWatch,
}

/// What became of a record.
#[derive(Debug)]
pub enum Taken {
    /// The store has answered.
    Stored(Accepted),
    /// Durable in the spool.
    Spooled,
    /// The spool has a record of this search already.
    InSpool(Arc<Record>),
    /// Neither could take it.
    Nowhere,
}

impl Intake {
    #[must_use]
    pub fn new(store: Arc<dyn Store>, spool: Spool, clock: Arc<dyn Clock>, deadline: Duration) -> Self {
        Self { store, spool, watch: StoreWatch::new(clock.clone()), clock, deadline }
    }

    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Whether the store answers, as far as is known.
    #[must_use]
    pub fn watch(&self) -> &StoreWatch {
        &self.watch
    }

    /// Makes the record durable, if that is possible at all.
    pub async fn take(&self, record: Record) -> Taken {
        loop {
            if let Some(there) = self.spool.find(record.search) {
                return Taken::InSpool(there);
            }
            // A store that is known to be away is not waited for by everyone: the replay tells when it is back.
            if self.watch.fault().is_none() {
                // The store may still take it after the deadline: its replay will then change nothing.
                match within(&*self.clock, self.deadline, accept(&*self.store, &*self.clock, &record)).await {
                    Ok(accepted) => return Taken::Stored(accepted),
                    Err(error) => self.watch.failed(error),
                }
            }
            match self.append(record.clone()).await {
                Ok(()) => return Taken::Spooled,
                // Another request for the same search came first. Where it was replayed meanwhile, the store knows it.
                Err(AppendError::Exists) => {}
                Err(error) => {
                    tracing::error!(%error, search = %record.search, "a search was answered and could not be recorded");
                    return Taken::Nowhere;
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
