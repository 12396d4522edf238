//! On a pool of threads that block: as many wait at a time as there are threads.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use api::{LabOrder, LabStyle};
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use crate::executor::{Future, State, ThreadPool, as_completed, in_order};

use super::blocking_client::BlockingClient;
use super::book::Book;

/// With plain threads the results are taken as they come. With futures the order is chosen, and done callbacks tell
/// of each.
pub(super) fn run(book: &Arc<Book>, stop: &CancellationToken) -> io::Result<()> {
    let spec = book.plan().spec();
    let workers = usize::try_from(spec.workers).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
    let client = Arc::new(BlockingClient::new(book.plan().target(), book.plan().patience(), workers.get()));
    let pool = ThreadPool::new(workers);
    let mut futures = Vec::with_capacity(book.plan().items().len());
    for item in book.plan().numbers() {
        if stop.is_cancelled() {
            book.cancelled(item);
        } else {
            futures.push(submit(&pool, book, &client, item)?);
        }
    }
    let order = if spec.style == LabStyle::Futures { spec.order } else { LabOrder::Completion };
    until_over(&futures, stop, || match order {
        LabOrder::Input => deliver(book, in_order(futures.iter().cloned())),
        LabOrder::Completion => deliver(book, as_completed(futures.iter().cloned())),
    })
    // Here the pool is dropped, which waits for its threads: the last callbacks have been called.
}

/// The future's result is the item's number; all else is in the book.
fn submit(pool: &ThreadPool, book: &Arc<Book>, client: &Arc<BlockingClient>, item: u32) -> io::Result<Future<u32>> {
    let (of_task, client) = (Arc::clone(book), Arc::clone(client));
    let future = pool.submit(move || {
        of_task.started(item);
        of_task.answered(item, client.get(of_task.path(item)));
        item
    })?;
    let (of_callback, has_callbacks) = (Arc::clone(book), book.plan().spec().style == LabStyle::Futures);
    future.add_done_callback(move |future| {
        if future.state() == State::Cancelled {
            of_callback.cancelled(item);
        }
        if has_callbacks {
            of_callback.called_back(item);
        }
    });
    Ok(future)
}

fn deliver(book: &Book, ended: impl Iterator<Item = Future<u32>>) {
    ended.filter_map(|future| future.result(None).ok()).for_each(|item| book.delivered(item));
}

/// Does `work`, and meanwhile cancels the futures once `stop` says so.
fn until_over(futures: &[Future<u32>], stop: &CancellationToken, work: impl FnOnce()) -> io::Result<()> {
    let over = stop.child_token();
    let waiting = runtime::Builder::new_current_thread().build()?;
    thread::scope(|scope| {
        let when_over = over.clone().drop_guard();
        thread::Builder::new().spawn_scoped(scope, || {
            waiting.block_on(over.cancelled());
            // After `work` they have all ended, and this does nothing.
            futures.iter().for_each(|future| _ = future.cancel());
        })?;
        work();
        drop(when_over);
        Ok(())
    })
}
