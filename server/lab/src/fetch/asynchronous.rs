//! One task for each request, all on this thread. Nobody blocks: a task that waits for its answer lets the others go on.

use std::io;
use std::sync::Arc;

use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer;
use super::book::Book;
use super::nonblocking_client::NonblockingClient;

pub(super) fn run(book: &Arc<Book>, stop: &CancellationToken) -> io::Result<()> {
    // The runtime's one thread is this one.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = NonblockingClient::new(book.plan().target());
        let mut tasks = JoinSet::new();
        for item in book.plan().numbers() {
            tasks.spawn(fetch(Arc::clone(book), client.clone(), item, stop.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Ok(Some(item)) = ended {
                book.delivered(item);
            }
        }
    });
    Ok(())
}

/// The item's number, if it was not cancelled.
async fn fetch(book: Arc<Book>, client: NonblockingClient, item: u32, stop: CancellationToken) -> Option<u32> {
    if stop.is_cancelled() {
        book.cancelled(item);
        return None;
    }
    book.started(item);
    let answer = timeout(book.plan().patience(), client.get(book.path(item))).await;
    book.answered(item, answer.unwrap_or_else(|_| Err(answer::timed_out())));
    Some(item)
}
