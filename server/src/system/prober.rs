//! Sends a job the whole way, to see that jobs go the whole way. Only while somebody looks: an
//! idle server writes nothing.

use std::sync::Arc;
use std::time::Duration;

use api::{JobId, JobState, TimeMs};
use queue::{Payload, encode};
use store::{Clock, Enqueued, NewJob, Store, StoredJob, Topic};
use tokio::sync::{Notify, watch};

use crate::platform::random::Random;
use crate::search::ingest::Intake;
use crate::system::probe::Probe;

/// However many look, there is a probe no more often than this.
const EVERY: Duration = Duration::from_secs(10);
/// On a busy queue something changes all the time; the probe is looked for this often.
const PAUSE: Duration = Duration::from_millis(20);
/// After a store that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub struct Prober {
    wanted: Notify,
    seen: watch::Sender<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    last: Option<api::Probe>,
    /// By the steady clock, of the one that is on its way.
    begun_at: Option<TimeMs>,
}

impl Default for Prober {
    fn default() -> Self {
        Self { wanted: Notify::new(), seen: watch::Sender::default() }
    }
}

impl Prober {
    /// Somebody looks: a probe is sent, unless one was lately.
    pub fn want(&self) {
        self.wanted.notify_one();
    }

    /// The last that came through.
    #[must_use]
    pub fn last(&self) -> Option<api::Probe> {
        self.seen.borrow().last
    }

    /// How long one has been on its way.
    #[must_use]
    pub fn waits(&self, now: TimeMs) -> Option<Duration> {
        let begun_at = self.seen.borrow().begun_at?;
        Some(Duration::from_millis(now.since(begun_at).unsigned_abs()))
    }

    /// Sends a probe whenever one is wanted.
    pub async fn keep_probing(
        &self,
        store: Arc<dyn Store>,
        intake: Arc<Intake>,
        clock: Arc<dyn Clock>,
        random: Random,
    ) {
        loop {
            self.wanted.notified().await;
            let begun_at = clock.steady();
            self.seen.send_modify(|seen| seen.begun_at = Some(begun_at));
            let pause = match probe(&*store, &*clock, &random).await {
                Ok(job) => {
                    let last = job.finished_at.map(|ended_at| api::Probe {
                        ended_at,
                        took_ms: ended_at.since(job.created_at).unsigned_abs(),
                    });
                    self.seen.send_modify(|seen| seen.last = last);
                    // Nothing is to be learned from it any more. Otherwise it is pruned with the others.
                    let _ = store.delete_job(job.id).await;
                    EVERY
                }
                Err(error) => {
                    intake.watch().failed(error);
                    AFTER_FAILURE
                }
            };
            self.seen.send_modify(|seen| seen.begun_at = None);
            clock.sleep_until(begun_at.after(pause).max(clock.steady())).await;
        }
    }
}

/// Returns the job once it is done, however long that takes.
async fn probe(store: &dyn Store, clock: &dyn Clock, random: &Random) -> store::Result<StoredJob> {
    let mut changes = store.subscribe(Topic::Jobs);
    let (Enqueued::New(id) | Enqueued::Exists(id)) = store.enqueue(new_job(clock, random)).await?;
    loop {
        if let Some(job) = ended(store, id).await? {
            return Ok(job);
        }
        changes.changed().await;
        clock.sleep_until(clock.steady().after(PAUSE)).await;
    }
}

async fn ended(store: &dyn Store, id: JobId) -> store::Result<Option<StoredJob>> {
    Ok(store.job(id).await?.filter(|job| job.state == JobState::Done))
}

fn new_job(clock: &dyn Clock, random: &Random) -> NewJob {
    NewJob {
        kind: Probe::KIND.to_owned(),
        key: Some(format!("{:032x}", u128::from_be_bytes(random.bytes()))),
        payload: encode(&Probe {}),
        // Before all others: it is to show the way, not the backlog.
        priority: i16::MAX,
        // One that its worker took with it when it died is run by another.
        max_attempts: 5,
        created_at: clock.wall(),
        run_at: clock.steady(),
        now: clock.steady(),
    }
}
