//! Brings what the spool has into the store, as soon as that answers.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use queue::Backoff;
use spool::Record;
use store::{Accepted, StoreError};

use super::Intake;
use crate::random::Random;
use crate::searches::question;

/// So many records share one commit; more would make those who search now wait behind it.
const BATCH: usize = 256;

/// The waits between tries. The longest is how late, at most, we see that the store is back.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), limit: Duration::from_secs(1) };

/// What became of a batch.
enum Replayed {
    /// Nothing was left to replay, or some of it was.
    Progress,
    /// Records could be neither replayed nor set aside.
    Stuck,
}

impl Intake {
    /// Replays whenever there is something to replay, and finds out when a store that failed
    /// answers again. Costs nothing meanwhile.
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
            let wait = BACKOFF.after(failures, random.roll());
            self.clock.sleep_until(self.clock.steady().after(wait)).await;
        }
    }

    fn tell_if_done(&self) {
        let spool = self.spool.state();
        if spool.records == 0 {
            tracing::info!(since_start = spool.replayed, "the spool is empty: the store has all that was in it");
        }
    }

    async fn replay_some(&self) -> store::Result<Replayed> {
        let records = self.spool.oldest(BATCH);
        if records.is_empty() {
            return self.store.ping().await.map(|()| Replayed::Progress);
        }
        let accepted = join_all(records.iter().map(|record| self.accept(record))).await;
        let is_store_well = accepted.iter().any(Result::is_ok);
        let mut done = Vec::new();
        let mut failure = None;
        for (record, accepted) in records.iter().zip(accepted) {
            match accepted {
                Ok(there) if is_its(&there, record) => done.push(record.search),
                Ok(_) => self.spool.set_aside(record.search, OTHER_SEARCH.to_owned()).await,
                // Where others of the batch were taken, the statement is right and the record is not.
                Err(StoreError::Sql(reason)) if is_store_well => self.spool.set_aside(record.search, reason).await,
                Err(error) => failure = Some(error),
            }
        }
        self.spool.remove(done).await;
        match failure {
            Some(error) => Err(error),
            None if records.iter().any(|record| self.spool.find(record.search).is_some()) => Ok(Replayed::Stuck),
            None => {
                self.tell_if_done();
                Ok(Replayed::Progress)
            }
        }
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
