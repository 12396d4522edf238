//! Sends probes: jobs that do nothing, to check that jobs are accepted, claimed, run and finished. Only while somebody
//! watches: an idle server writes nothing.

use std::sync::Arc;
use std::time::Duration;

use api::{JobId, JobState, TimeMs};
use queue::{Payload, encode};
use serde::{Deserialize, Serialize};
use store::{Clock, Enqueued, NewJob, Store, StoredJob, Topic};
use tokio::sync::{Notify, watch};

use super::SystemService;
use crate::platform::random::Random;

/// Minimum interval between probes, however many pages are open.
const EVERY: Duration = Duration::from_secs(10);
/// Minimum interval between reads of the probe: a busy queue changes all the time.
const PAUSE: Duration = Duration::from_millis(20);
/// How long to wait after the store has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The job `probe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {}

impl Payload for Probe {
    const KIND: &'static str = "probe";
    const VERSION: u32 = 1;
}

pub struct Prober {
    wanted: Notify,
    seen: watch::Sender<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    last: Option<api::Probe>,
    /// Why the last probe came to nothing.
    failure: Option<&'static str>,
    /// When the probe on its way was begun, by the steady clock.
    begun_at: Option<TimeMs>,
}

impl Default for Prober {
    fn default() -> Self {
        Self { wanted: Notify::new(), seen: watch::Sender::default() }
    }
}

impl Prober {
    /// Requests a probe, unless one was sent lately.
    pub fn want(&self) {
        self.wanted.notify_one();
    }

    /// The last completed probe.
    pub fn last(&self) -> Option<api::Probe> {
        self.seen.borrow().last
    }

    /// Why the last probe came to nothing, if it did.
    pub fn failure(&self) -> Option<String> {
        self.seen.borrow().failure.map(ToOwned::to_owned)
    }

    /// How long the pending probe has been running or waiting.
    pub fn waits(&self, now: TimeMs) -> Option<Duration> {
        let begun_at = self.seen.borrow().begun_at?;
        Some(Duration::from_millis(now.since(begun_at).unsigned_abs()))
    }
}

impl SystemService {
    /// Sends a probe whenever one is wanted.
    pub async fn keep_probing(self: Arc<Self>, random: Random) {
        let (store, clock, seen) = (&*self.store, &*self.clock, &self.prober.seen);
        loop {
            self.prober.wanted.notified().await;
            let begun_at = clock.steady();
            seen.send_modify(|seen| seen.begun_at = Some(begun_at));
            let pause = match probe(store, clock, &random).await {
                Ok(Ended::Failed(why)) => {
                    seen.send_modify(|seen| seen.failure = Some(why));
                    EVERY
                }
                Ok(Ended::Done(id, last)) => {
                    seen.send_modify(|seen| (seen.last, seen.failure) = (last, None));
                    // Nobody needs it any more. If this fails, it is pruned with the others.
                    let _ = store.delete_job(id, None).await;
                    EVERY
                }
                Err(error) => {
                    self.watch.failed(error);
                    AFTER_FAILURE
                }
            };
            seen.send_modify(|seen| seen.begun_at = None);
            clock.sleep_until(begun_at.after(pause).max(clock.steady())).await;
        }
    }
}

/// How a probe has ended.
enum Ended {
    Done(JobId, Option<api::Probe>),
    Failed(&'static str),
}

/// Waits for the job's end, however long that takes.
async fn probe(store: &dyn Store, clock: &dyn Clock, random: &Random) -> store::Result<Ended> {
    let mut changes = store.subscribe(Topic::Jobs);
    let (Enqueued::New(id) | Enqueued::Exists(id)) = store.enqueue(new_job(clock, random)).await?;
    loop {
        if let Some(ended) = ended(store, id).await? {
            return Ok(ended);
        }
        changes.changed().await;
        clock.sleep_until(clock.steady().after(PAUSE)).await;
    }
}

async fn ended(store: &dyn Store, id: JobId) -> store::Result<Option<Ended>> {
    let Some(job) = store.job(id).await? else { return Ok(Some(Ended::Failed("its job was deleted"))) };
    Ok(match job.state {
        JobState::Done => Some(Ended::Done(id, outcome(&job))),
        JobState::Dead => Some(Ended::Failed("its job is dead")),
        JobState::Cancelled => Some(Ended::Failed("its job was cancelled")),
        JobState::Scheduled | JobState::Waiting | JobState::Running | JobState::Retrying => None,
    })
}

fn outcome(job: &StoredJob) -> Option<api::Probe> {
    let ended_at = job.finished_at?;
    Some(api::Probe { ended_at, took_ms: ended_at.since(job.created_at).unsigned_abs() })
}

fn new_job(clock: &dyn Clock, random: &Random) -> NewJob {
    NewJob {
        kind: Probe::KIND.to_owned(),
        key: Some(format!("{:032x}", u128::from_be_bytes(random.bytes()))),
        payload: encode(&Probe {}),
        // Before all other jobs: it tests the queue, not the backlog.
        priority: i16::MAX,
        // Another worker runs it if its own has died.
        max_attempts: 5,
        created_at: clock.wall(),
        run_at: clock.steady(),
        now: clock.steady(),
    }
}
