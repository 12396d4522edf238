//! A batch of the spool's records on its way into the store.

use std::sync::Arc;

use futures::future::join_all;
use spool::{Record, Spool};
use store::{Accepted, Clock, Store, StoreError};

use crate::search::accept::question;
use crate::search::ingest::accept;

/// So many records share one commit; more would make those who search now wait behind it.
const BATCH: usize = 256;

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Recorded now.
    pub new: u64,
    /// Which the store had already.
    pub known: u64,
    /// Which the store refuses for good.
    pub quarantined: u64,
    /// Still in the spool.
    pub left: u64,
    /// Why the store took no more.
    pub failure: Option<StoreError>,
}

impl Batch {
    /// Whether there was nothing in the spool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Hands the spool's oldest records to the store, and removes or sets aside those that need not be handed in again.
/// Doing it twice changes nothing: a search has one record, whoever brings it.
pub async fn replay_batch(store: &dyn Store, spool: &Spool, clock: &dyn Clock) -> Batch {
    let records = spool.oldest(BATCH);
    let accepted = join_all(records.iter().map(|record| accept(store, clock, record))).await;
    let is_store_well = accepted.iter().any(Result::is_ok);
    let (mut batch, mut done) = (Batch::default(), Vec::new());
    for (record, accepted) in records.iter().zip(accepted) {
        let accepted = match accepted {
            Err(StoreError::Sql(_)) if is_store_well => accept_again(store, clock, record).await,
            accepted => accepted.map_err(Refusal::Store),
        };
        let refused = match accepted {
            Ok(there) if is_its(&there, record) => {
                match there {
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
    /// It never will be.
    Record(String),
    /// The store takes none at the moment.
    Store(StoreError),
}

/// A record that was refused where others of its batch were taken. Either it is wrong, or the store has come to its senses
/// in the midst of the batch: so it is asked once more, and whether it is well before and after.
async fn accept_again(store: &dyn Store, clock: &dyn Clock, record: &Record) -> Result<Accepted, Refusal> {
    store.ping().await.map_err(Refusal::Store)?;
    match accept(store, clock, record).await {
        Ok(there) => Ok(there),
        Err(StoreError::Sql(reason)) => match store.ping().await {
            Ok(()) => Err(Refusal::Record(reason)),
            Err(error) => Err(Refusal::Store(error)),
        },
        Err(error) => Err(Refusal::Store(error)),
    }
}

const OTHER_SEARCH: &str = "the store has another search under this id: its sender used the id twice";

fn is_its(there: &Accepted, record: &Record) -> bool {
    let known = match there {
        Accepted::New(_) => return true,
        // Taken by the store just after its caller had stopped waiting.
        Accepted::Queued { payload, .. } if *payload == record.payload => return true,
        Accepted::Queued { payload, .. } => question(payload),
        Accepted::Recorded(row) => Some((row.phrase.clone(), row.letters.clone())),
    };
    known.is_some() && known == question(&record.payload)
}
