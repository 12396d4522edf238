//! Replays the spool's records into the store once it answers again.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use queue::{Backoff, decode};
use spool::{Record, Spool};
use store::{Accepted, Clock, Store, StoreError};

use super::ingest::{Ingest, accept};
use super::log_request::LogRequest;
use crate::platform::random::Random;

/// The waits between tries. The longest one bounds how late a recovered store is noticed.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), limit: Duration::from_secs(1) };

/// How many records share one commit; more would delay the searches that come meanwhile.
const BATCH: usize = 256;

/// The outcome of one round.
enum Replayed {
    /// Nothing was left to replay, or some of it was replayed.
    Progress,
    /// Records could be neither replayed nor quarantined.
    Stuck,
}

impl Ingest {
    /// Replays whenever the spool has records, and notices when a failed store answers again. Idle otherwise.
    pub async fn keep_replaying(self: Arc<Self>, random: Random) {
        let (mut faults, mut spooled) = (self.watch.subscribe(), self.spool.watch());
        let mut failures = 0;
        loop {
            while self.watch.fault().is_none() && spooled.borrow_and_update().records == 0 {
                tokio::select! { _ = faults.changed() => {}, _ = spooled.changed() => {} }
            }
            match self.replay_some().await {
                Ok(Replayed::Progress) => {
                    failures = 0;
                    self.watch.answered();
                    continue;
                }
                Ok(Replayed::Stuck) => self.watch.answered(),
                Err(error) => self.watch.failed(error),
            }
            failures += 1;
            let wait = BACKOFF.after(failures, random.jitter());
            self.clock.sleep_until(self.clock.steady().after(wait)).await;
        }
    }

    fn log_if_done(&self) {
        let spool = self.spool.state();
        if spool.records == 0 {
            tracing::info!(since_start = spool.replayed, "the spool is empty: the store has all that was in it");
        }
    }

    async fn replay_some(&self) -> store::Result<Replayed> {
        let batch = replay_batch(&*self.store, &self.spool, &*self.clock).await;
        if batch.is_empty() {
            return self.store.ping().await.map(|()| Replayed::Progress);
        }
        match batch.failure {
            Some(error) => Err(error),
            None if batch.left > 0 => Ok(Replayed::Stuck),
            None => {
                self.log_if_done();
                Ok(Replayed::Progress)
            }
        }
    }
}

/// The outcome of one batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Recorded now.
    pub new: u64,
    /// The store had them already.
    pub known: u64,
    /// Refused by the store for good.
    pub quarantined: u64,
    /// Still in the spool.
    pub left: u64,
    /// Why the store took no more of them.
    pub failure: Option<StoreError>,
}

impl Batch {
    /// Whether there was nothing in the spool.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Replays the spool's oldest records, and removes or quarantines those that are settled. Idempotent, because a search
/// has one record.
pub async fn replay_batch(store: &dyn Store, spool: &Spool, clock: &dyn Clock) -> Batch {
    let records = spool.oldest(BATCH);
    let accepted = join_all(records.iter().map(|record| accept(store, clock, record))).await;
    let store_answers = accepted.iter().any(Result::is_ok);
    let (mut batch, mut done) = (Batch::default(), Vec::new());
    for (record, accepted) in records.iter().zip(accepted) {
        let accepted = match accepted {
            Err(StoreError::Sql(_)) if store_answers => accept_again(store, clock, record).await,
            accepted => accepted.map_err(Refusal::Store),
        };
        let refused = match accepted {
            Ok(accepted) if is_same_search(&accepted, record) => {
                match accepted {
                    Accepted::New(_) => batch.new += 1,
                    Accepted::Queued { .. } | Accepted::Recorded(_) => batch.known += 1,
                }
                done.push(record.search);
                continue;
            }
            Ok(_) => OTHER_SEARCH.to_owned(),
            Err(Refusal::Record(reason)) => reason,
            Err(Refusal::Store(error)) => {
                batch.failure = Some(error);
                continue;
            }
        };
        spool.quarantine(record.search, refused).await;
        batch.quarantined += u64::from(spool.find(record.search).is_none());
    }
    spool.remove(done).await;
    let left = |record: &&Arc<Record>| spool.find(record.search).is_some();
    batch.left = records.iter().filter(left).count() as u64;
    batch
}

/// Why a record was not taken.
enum Refusal {
    /// The record is refused for good.
    Record(String),
    /// The store is failing.
    Store(StoreError),
}

/// Retries a record that was refused while others of its batch were taken. Either the record is bad, or the store
/// recovered mid-batch: so the store is pinged before and after.
async fn accept_again(store: &dyn Store, clock: &dyn Clock, record: &Record) -> Result<Accepted, Refusal> {
    store.ping().await.map_err(Refusal::Store)?;
    match accept(store, clock, record).await {
        Ok(accepted) => Ok(accepted),
        Err(StoreError::Sql(reason)) => match store.ping().await {
            Ok(()) => Err(Refusal::Record(reason)),
            Err(error) => Err(Refusal::Store(error)),
        },
        Err(error) => Err(Refusal::Store(error)),
    }
}

const OTHER_SEARCH: &str = "the store has another search under this id: its sender used the id twice";

fn is_same_search(accepted: &Accepted, record: &Record) -> bool {
    let own = || decode::<LogRequest>(&record.payload);
    match accepted {
        Accepted::New(_) => true,
        // The store took it just after its caller stopped waiting.
        Accepted::Queued { payload, .. } if *payload == record.payload => true,
        Accepted::Queued { payload, .. } => own().is_ok_and(|own| own.is_same_search(payload)),
        Accepted::Recorded(row) => own().is_ok_and(|own| own.is_row(row)),
    }
}
