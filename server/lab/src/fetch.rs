//! Many requests to a server that lets each wait: in sequence, on threads, with futures, or asynchronously.
//!
//! Each style is a file of its own, and says in a few lines who waits for what. What they share is beside them: the
//! plan, the two clients, and the book in which all that happens is entered.

mod answer;
mod asynchronous;
mod blocking_client;
mod book;
mod nonblocking_client;
mod on_threads;
mod plan;
mod sequential;

use std::io;
use std::sync::Arc;

use api::{LabStyle, LabSummary};
use tokio_util::sync::CancellationToken;

use crate::EventSink;

use self::book::Book;

pub use self::plan::{Body, FetchPlan};

/// Carries the plan out, and returns when all is over. It blocks: call it on a thread of its own. Once `stop` is
/// cancelled nothing new is begun; what runs ends at its own pace. Requests that fail are told and counted; an error
/// is only that the system gives us no thread to work with.
pub fn fetch(plan: FetchPlan, sink: &EventSink, stop: &CancellationToken) -> io::Result<LabSummary> {
    let style = plan.spec().style;
    let book = Arc::new(Book::open(plan, sink.clone()));
    match style {
        LabStyle::Sequential => sequential::run(&book, stop),
        LabStyle::Threads | LabStyle::Futures => on_threads::run(&book, stop)?,
        LabStyle::Async => asynchronous::run(&book, stop)?,
    }
    Ok(book.close())
}

#[cfg(test)]
mod tests;
