//! Many requests to a server that delays each response: in sequence, on threads, with futures, or asynchronously.
//!
//! Each style is one short function, which shows what waits for what. The styles share the plan, the two clients, and
//! the recorder.

mod client;
mod plan;
mod recorder;
#[cfg(test)]
mod tests;

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use api::{LabOrder, LabStyle, LabSummary};
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::client::{BlockingClient, NonblockingClient, timed_out};
use self::recorder::RunRecorder;
use crate::EventSink;
use crate::executor::{Future, State, ThreadPool, as_completed, in_order};

pub use self::plan::{Body, FetchPlan};

/// Runs the plan to its end. Blocks: call it on its own thread. Once `stop` is cancelled, no further request begins,
/// and running ones end by themselves. Failed requests are recorded; an error means that a thread could not be started.
pub fn fetch(plan: FetchPlan, sink: &EventSink, stop: &CancellationToken) -> io::Result<LabSummary> {
    let style = plan.spec().style;
    let recorder = Arc::new(RunRecorder::begin(plan, sink.clone()));
    match style {
        LabStyle::Sequential => in_sequence(&recorder, stop),
        LabStyle::Threads | LabStyle::Futures => on_threads(&recorder, stop)?,
        LabStyle::Async => asynchronously(&recorder, stop)?,
    }
    Ok(recorder.end())
}

/// One request after the other. The thread that sends a request blocks until the response, and delays all later
/// requests.
fn in_sequence(recorder: &RunRecorder, stop: &CancellationToken) {
    let client = BlockingClient::new(recorder.plan().target(), recorder.plan().timeout(), 1);
    for item in recorder.plan().numbers() {
        if stop.is_cancelled() {
            recorder.cancelled(item);
            continue;
        }
        recorder.started(item);
        recorder.answered(item, client.get(recorder.path(item)));
        recorder.delivered(item);
    }
}

/// On a pool of blocking threads: one pending request for each thread. With plain threads, results are taken in the
/// order of completion. With futures, the plan chooses the order, and each done callback is recorded.
fn on_threads(recorder: &Arc<RunRecorder>, stop: &CancellationToken) -> io::Result<()> {
    let spec = recorder.plan().spec();
    let workers = usize::try_from(spec.workers).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
    let client = Arc::new(BlockingClient::new(recorder.plan().target(), recorder.plan().timeout(), workers.get()));
    let pool = ThreadPool::new(workers);
    let mut futures = Vec::with_capacity(recorder.plan().items().len());
    for item in recorder.plan().numbers() {
        if stop.is_cancelled() {
            recorder.cancelled(item);
        } else {
            futures.push(submit(&pool, recorder, &client, item)?);
        }
    }
    let order = if spec.style == LabStyle::Futures { spec.order } else { LabOrder::Completion };
    cancel_on_stop(&futures, stop, || match order {
        LabOrder::Input => deliver(recorder, in_order(futures.iter().cloned())),
        LabOrder::Completion => deliver(recorder, as_completed(futures.iter().cloned())),
    })
    // Dropping the pool waits for its threads, and so for the last callbacks.
}

/// The future's result is the item's number. The recorder has the rest.
fn submit(
    pool: &ThreadPool,
    recorder: &Arc<RunRecorder>,
    client: &Arc<BlockingClient>,
    item: u32,
) -> io::Result<Future<u32>> {
    let (task_recorder, client) = (Arc::clone(recorder), Arc::clone(client));
    let future = pool.submit(move || {
        task_recorder.started(item);
        task_recorder.answered(item, client.get(task_recorder.path(item)));
        item
    })?;
    let (callback_recorder, has_callbacks) = (Arc::clone(recorder), recorder.plan().spec().style == LabStyle::Futures);
    future.add_done_callback(move |future| {
        if future.state() == State::Cancelled {
            callback_recorder.cancelled(item);
        }
        if has_callbacks {
            callback_recorder.called_back(item);
        }
    });
    Ok(future)
}

fn deliver(recorder: &RunRecorder, ended: impl Iterator<Item = Future<u32>>) {
    ended.filter_map(|future| future.result(None).ok()).for_each(|item| recorder.delivered(item));
}

/// Runs `work`, while another thread cancels the futures once `stop` is cancelled.
fn cancel_on_stop(futures: &[Future<u32>], stop: &CancellationToken, work: impl FnOnce()) -> io::Result<()> {
    let over = stop.child_token();
    let waiting = runtime::Builder::new_current_thread().build()?;
    thread::scope(|scope| {
        let when_over = over.clone().drop_guard();
        thread::Builder::new().spawn_scoped(scope, || {
            waiting.block_on(over.cancelled());
            // Does nothing after `work`, because all futures have ended.
            futures.iter().for_each(|future| _ = future.cancel());
        })?;
        work();
        drop(when_over);
        Ok(())
    })
}

/// One task for each request, all on this thread. A task that waits for its response blocks no other.
fn asynchronously(recorder: &Arc<RunRecorder>, stop: &CancellationToken) -> io::Result<()> {
    // Runs all tasks on this thread.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = NonblockingClient::new(recorder.plan().target());
        let mut tasks = JoinSet::new();
        for item in recorder.plan().numbers() {
            tasks.spawn(fetch_one(Arc::clone(recorder), client.clone(), item, stop.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Ok(Some(item)) = ended {
                recorder.delivered(item);
            }
        }
    });
    Ok(())
}

/// Returns the item's number, unless it was cancelled.
async fn fetch_one(
    recorder: Arc<RunRecorder>,
    client: NonblockingClient,
    item: u32,
    stop: CancellationToken,
) -> Option<u32> {
    if stop.is_cancelled() {
        recorder.cancelled(item);
        return None;
    }
    recorder.started(item);
    let answer = timeout(recorder.plan().timeout(), client.get(recorder.path(item))).await;
    recorder.answered(item, answer.unwrap_or_else(|_| Err(timed_out())));
    Some(item)
}
