//! One after the other. The thread that asks also waits, and so does everything behind it.

use tokio_util::sync::CancellationToken;

use super::blocking_client::BlockingClient;
use super::book::Book;

pub(super) fn run(book: &Book, stop: &CancellationToken) {
    let client = BlockingClient::new(book.plan().target(), book.plan().patience(), 1);
    for item in book.plan().numbers() {
        if stop.is_cancelled() {
            book.cancelled(item);
            continue;
        }
        book.started(item);
        book.answered(item, client.get(book.path(item)));
        book.delivered(item);
    }
}
