//! Brings what the spool has into the store, as soon as that answers.

use std::sync::Arc;
use std::time::Duration;

use queue::Backoff;

use crate::platform::random::Random;
use crate::search::ingest::Intake;
use crate::search::replay_batch::replay_batch;

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
        let batch = replay_batch(&*self.store, &self.spool, &*self.clock).await;
        if batch.is_empty() {
            return self.store.ping().await.map(|()| Replayed::Progress);
        }
        match batch.failure {
            Some(error) => Err(error),
            None if batch.left > 0 => Ok(Replayed::Stuck),
            None => {
                self.tell_if_done();
                Ok(Replayed::Progress)
            }
        }
    }
}
