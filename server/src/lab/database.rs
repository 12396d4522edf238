//! The database scenario: many tasks share a few connections. Some tasks fail, panic or are aborted while they hold
//! one, and every connection comes back.

mod tasks;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{DatabaseSpec, LabFact, LabSummary, PoolState, PoolSummary};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use lab::EventSink;
use store::PoolProbe;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::tasks::{EndedTask, Tasks};

/// Opens another pool on the database, with [`DatabaseSpec::CONNECTIONS`] connections for the lab alone.
pub type PoolOpener = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<Arc<dyn PoolProbe>>> + Send + Sync>;

/// A connection returns to the pool a moment after its task has ended; one that takes longer is lost.
const RETURN_TIMEOUT: Duration = Duration::from_secs(5);
const RETURN_POLL: Duration = Duration::from_millis(5);
/// Throttles the pool's events: ten thousand tasks would otherwise cause twenty thousand.
const POOL_EVENT_INTERVAL: Duration = Duration::from_millis(10);

/// Runs the scenario and emits its events; an item is a task. A task's number decides whether it is faulty, so every
/// run has the same faults. Fails if the database cannot be opened.
///
/// Ends early once `stop` is cancelled. Its connections are closed in any case, even when the future is dropped.
pub async fn database(
    spec: &DatabaseSpec,
    open: &PoolOpener,
    events: &EventSink,
    stop: &CancellationToken,
) -> anyhow::Result<LabSummary> {
    let pool = ClosedOnDrop(open().await?);
    let count = spec.batches.saturating_mul(spec.tasks_per_batch);
    events.emit(LabFact::Began { labels: (1..=count).map(|number| format!("task {number}")).collect() });
    let monitor = Arc::new(PoolMonitor::new(pool.0.clone()));
    let tasks = Tasks { monitor: monitor.clone(), events, hold: Duration::from_millis(spec.hold_ms.into()), spec };
    let mut figures = PoolSummary::default();
    tokio::select! {
        () = stop.cancelled() => {}
        () = monitor.emit_changes(events) => {}
        () = run_batches(spec, &tasks, &mut figures) => {}
    }
    let leaked = leaked_connections(&*pool.0).await;
    monitor.emit_if_changed(events);
    let max = pool.0.state().max;
    close(&*pool.0).await;
    let mut summary = events.summary();
    for item in events.open_items() {
        events.emit(LabFact::Cancelled { item });
        summary.cancelled += 1;
    }
    events.emit(LabFact::Ended);
    let (most_in_use, most_waiting) = monitor.peaks();
    Ok(LabSummary { pool: Some(PoolSummary { max, most_in_use, most_waiting, leaked, ..figures }), ..summary })
}

async fn run_batches(spec: &DatabaseSpec, tasks: &Tasks<'_>, figures: &mut PoolSummary) {
    for batch in 0..spec.batches {
        let first = batch * spec.tasks_per_batch;
        let mut batch: FuturesUnordered<_> =
            (first..first + spec.tasks_per_batch).map(|item| tasks.run(item)).collect();
        while let Some(EndedTask { waited_us, is_refused }) = batch.next().await {
            figures.longest_wait_us = figures.longest_wait_us.max(waited_us);
            figures.refused += u32::from(is_refused);
        }
    }
}

/// How many connections are still in use after [`RETURN_TIMEOUT`].
async fn leaked_connections(pool: &dyn PoolProbe) -> u32 {
    let returned = async {
        while pool.state().in_use > 0 {
            sleep(RETURN_POLL).await;
        }
    };
    if timeout(RETURN_TIMEOUT, returned).await.is_ok() { 0 } else { pool.state().in_use }
}

/// Closing a pool waits for every connection in use. The timeout is for leaked ones, which never return.
async fn close(pool: &dyn PoolProbe) {
    let _ = timeout(RETURN_TIMEOUT, pool.close()).await;
}

/// Closes the pool even when the run is dropped: a database server limits the connections of all its clients together.
struct ClosedOnDrop(Arc<dyn PoolProbe>);

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        let pool = self.0.clone();
        // Closing twice does nothing. Without a runtime there are no connections either.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { close(&*pool).await });
        }
    }
}

/// Samples the pool whenever a task has taken or returned a connection.
struct PoolMonitor {
    pool: Arc<dyn PoolProbe>,
    most_in_use: AtomicU32,
    most_waiting: AtomicU32,
    changed: Notify,
    /// The last event: in use, idle, waiting.
    emitted: Mutex<Option<(u32, u32, u32)>>,
}

impl PoolMonitor {
    fn new(pool: Arc<dyn PoolProbe>) -> Self {
        let (most_in_use, most_waiting) = (AtomicU32::new(0), AtomicU32::new(0));
        Self { pool, most_in_use, most_waiting, changed: Notify::new(), emitted: Mutex::new(None) }
    }

    /// To be called when the pool's state may have changed.
    fn sample(&self) {
        self.state();
        self.changed.notify_one();
    }

    /// The most connections in use and the most waiting tasks, of all samples.
    fn peaks(&self) -> (u32, u32) {
        (self.most_in_use.load(Ordering::Relaxed), self.most_waiting.load(Ordering::Relaxed))
    }

    /// Emits the pool's changes until it is dropped.
    async fn emit_changes(&self, events: &EventSink) {
        loop {
            self.changed.notified().await;
            self.emit_if_changed(events);
            sleep(POOL_EVENT_INTERVAL).await;
        }
    }

    /// Emits the pool's state, unless it is the same as in the last event.
    fn emit_if_changed(&self, events: &EventSink) {
        let PoolState { in_use, idle, waiting, .. } = self.state();
        // Nothing panics while it is locked, so a poisoned value is whole.
        let last = self.emitted.lock().unwrap_or_else(PoisonError::into_inner).replace((in_use, idle, waiting));
        if last != Some((in_use, idle, waiting)) {
            events.emit(LabFact::Pool { in_use, idle, waiting });
        }
    }

    fn state(&self) -> PoolState {
        let state = self.pool.state();
        self.most_in_use.fetch_max(state.in_use, Ordering::Relaxed);
        self.most_waiting.fetch_max(state.waiting, Ordering::Relaxed);
        state
    }
}
