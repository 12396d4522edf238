//! The scenario with the database: many tasks share a few connections. Some fail, some panic and some are aborted while
//! they hold one, and every connection comes back.

mod fate;
mod pool_watch;
mod tasks;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use api::{DatabaseSpec, LabFact, LabSummary, PoolSummary};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use lab::EventSink;
use store::Store;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::pool_watch::PoolWatch;
use self::tasks::{Ended, Taken, Tasks};

/// Opens the database once more, beside whoever has it open, with a pool of [`DatabaseSpec::CONNECTIONS`] connections
/// that nobody else uses. Fails with a sentence for people.
pub type PoolOpener = Arc<dyn Fn() -> BoxFuture<'static, Result<Arc<dyn Store>, String>> + Send + Sync>;

/// A connection goes back by itself a moment after its task has ended; one that takes longer is lost.
const BACK_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs it, and tells what happens; an item is a task. Which tasks are ill is decided by their numbers, the same in
/// each run. Fails, with the reason, where the database cannot be opened.
///
/// Ends early where `stop` is cancelled. However it ends, also when it is dropped, its connections are closed.
pub async fn database(
    spec: &DatabaseSpec,
    open: &PoolOpener,
    tell: &EventSink,
    stop: &CancellationToken,
) -> Result<LabSummary, String> {
    let pool = Pool(open().await?);
    let count = spec.batches.saturating_mul(spec.tasks_per_batch);
    tell.emit(LabFact::Began { labels: (1..=count).map(|number| format!("task {number}")).collect() });
    let watch = Arc::new(PoolWatch::of(pool.0.clone()));
    let tasks =
        Tasks { watch: watch.clone(), tell, hold: Duration::from_millis(spec.hold_ms.into()), fates: spec.into() };
    let mut tally = Tally::default();
    tokio::select! {
        () = stop.cancelled() => {}
        () = watch.keep_telling(tell) => {}
        () = all_batches(spec, &tasks, &mut tally) => {}
    }
    let leaked = in_use_in_the_end(&*pool.0).await;
    watch.tell_last(tell);
    let (most_in_use, most_waiting) = watch.peaks();
    let max = pool.0.pool().max;
    close(&*pool.0).await;
    for item in (0..count).filter(|item| !tally.ended.contains(item)) {
        tell.emit(LabFact::Cancelled { item });
        tally.summary.cancelled += 1;
    }
    tell.emit(LabFact::Ended);
    let Tally { summary, first_started_us, last_ended_us, longest_wait_us, refused, .. } = tally;
    let elapsed_us = last_ended_us.saturating_sub(first_started_us.unwrap_or(last_ended_us));
    let pool = PoolSummary { max, most_in_use, most_waiting, longest_wait_us, leaked, refused };
    Ok(LabSummary { elapsed_us, pool: Some(pool), ..summary })
}

async fn all_batches(spec: &DatabaseSpec, tasks: &Tasks<'_>, tally: &mut Tally) {
    for batch in 0..spec.batches {
        let first = batch * spec.tasks_per_batch;
        let mut batch: FuturesUnordered<_> =
            (first..first + spec.tasks_per_batch).map(|item| tasks.run(item)).collect();
        while let Some(ended) = batch.next().await {
            tally.take(ended);
        }
    }
}

/// How many connections are not back after a while in which all should be.
async fn in_use_in_the_end(store: &dyn Store) -> u32 {
    let are_back = async {
        while store.pool().in_use > 0 {
            sleep(LOOK_EVERY).await;
        }
    };
    if timeout(BACK_WITHIN, are_back).await.is_ok() { 0 } else { store.pool().in_use }
}

/// A pool waits for every connection that somebody has. One that is lost is never given back, and has been told of.
async fn close(store: &dyn Store) {
    let _ = timeout(BACK_WITHIN, store.close()).await;
}

/// What came of the tasks so far.
#[derive(Default)]
struct Tally {
    summary: LabSummary,
    ended: HashSet<u32>,
    first_started_us: Option<u64>,
    last_ended_us: u64,
    longest_wait_us: u64,
    refused: u32,
}

impl Tally {
    fn take(&mut self, ended: Ended) {
        let Ended { item, taken, ended_us, has_failed, is_refused } = ended;
        self.ended.insert(item);
        *(if has_failed { &mut self.summary.failed } else { &mut self.summary.done }) += 1;
        self.refused += u32::from(is_refused);
        let Some(Taken { asked_us, started_us }) = taken else { return };
        self.longest_wait_us = self.longest_wait_us.max(started_us.saturating_sub(asked_us));
        self.summary.work_us += ended_us.saturating_sub(started_us);
        self.first_started_us = Some(self.first_started_us.map_or(started_us, |first| first.min(started_us)));
        self.last_ended_us = self.last_ended_us.max(ended_us);
    }
}

/// Closed also where nobody waits any more: a server that many share counts its connections.
struct Pool(Arc<dyn Store>);

impl Drop for Pool {
    fn drop(&mut self) {
        let store = self.0.clone();
        // To close again what is closed does nothing. Without a runtime there are no connections either.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { close(&*store).await });
        }
    }
}
