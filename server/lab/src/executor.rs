//! A thread pool and its futures, with the terms of Python's `concurrent.futures`.
//!
//! A [`ThreadPool`] takes tasks and returns a [`Future`] for each. A future is *pending* until a thread takes its task,
//! then *running*, and finally *finished*. A pending future can be *cancelled*. A future has a state, a result to wait
//! for, and callbacks. [`in_order`] and [`as_completed`] iterate over many futures.
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use lab::executor::{ThreadPool, as_completed};
//!
//! let pool = ThreadPool::new(NonZeroUsize::new(2).unwrap());
//! let squares: Vec<u32> = pool.map(|n| n * n, [1, 2, 3]).unwrap().map(Result::unwrap).collect();
//! assert_eq!(squares, [1, 4, 9]);
//!
//! let words = ["one", "two"].map(|word| pool.submit(move || word.len()).unwrap());
//! assert!(as_completed(words).all(|future| future.result(None) == Ok(3)));
//! ```

mod pool;
#[cfg(test)]
mod tests;

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

pub use pool::{Pending, ThreadPool};

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No thread has started it yet.
    Pending,
    /// A thread is running it.
    Running,
    /// It has returned, or panicked.
    Finished,
    /// It was cancelled while it was pending.
    Cancelled,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResult {
    #[error("the task was cancelled before it began")]
    Cancelled,
    /// With the panic's message.
    #[error("the task panicked: {0}")]
    Panicked(String),
    /// The timeout is over. The task continues, and the caller can wait for it again.
    #[error("the task has not ended yet")]
    TimedOut,
}

/// The eventual result of one task. Clones share the task.
pub struct Future<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    progress: Mutex<Progress<T>>,
    /// Notified when `progress` becomes `Ended`.
    ended: Condvar,
}

enum Progress<T> {
    Pending(Callbacks<T>),
    Running(Callbacks<T>),
    Ended(Result<T, NoResult>),
}

type Callbacks<T> = Vec<Box<dyn FnOnce(&Future<T>) + Send>>;

impl<T> Future<T> {
    pub(super) fn pending() -> Self {
        let progress = Mutex::new(Progress::Pending(Vec::new()));
        Self { shared: Arc::new(Shared { progress, ended: Condvar::new() }) }
    }

    /// The current state, which may change at any time.
    pub fn state(&self) -> State {
        match &*self.lock() {
            Progress::Pending(_) => State::Pending,
            Progress::Running(_) => State::Running,
            Progress::Ended(Err(NoResult::Cancelled)) => State::Cancelled,
            Progress::Ended(_) => State::Finished,
        }
    }

    /// Cancels the task if it is pending: a running task cannot be stopped. Returns whether the task is cancelled.
    pub fn cancel(&self) -> bool {
        self.end_if(|progress| matches!(progress, Progress::Pending(_)), Err(NoResult::Cancelled))
            || self.state() == State::Cancelled
    }

    /// Waits for the task's end, at most for `timeout`, and returns its result.
    pub fn result(&self, timeout: Option<Duration>) -> Result<T, NoResult>
    where
        T: Clone,
    {
        match &*self.wait_for(timeout) {
            Progress::Ended(result) => result.clone(),
            Progress::Pending(_) | Progress::Running(_) => Err(NoResult::TimedOut),
        }
    }

    /// Waits until the task has ended.
    pub fn wait(&self) {
        drop(self.wait_for(None));
    }

    /// Adds a callback for the end of the task. It is called by the thread that ran or cancelled the task, or at once
    /// if the task has already ended. Panics of callbacks are caught.
    pub fn add_done_callback(&self, callback: impl FnOnce(&Self) + Send + 'static) {
        match &mut *self.lock() {
            Progress::Pending(callbacks) | Progress::Running(callbacks) => {
                callbacks.push(Box::new(callback));
                return;
            }
            Progress::Ended(_) => {}
        }
        self.call(callback);
    }

    /// From pending to running. Returns false if the task is no longer pending and must not run.
    pub(super) fn begin(&self) -> bool {
        let progress = &mut *self.lock();
        let Progress::Pending(callbacks) = progress else { return false };
        *progress = Progress::Running(mem::take(callbacks));
        true
    }

    /// From running to finished.
    pub(super) fn finish(&self, result: Result<T, NoResult>) {
        self.end_if(|progress| matches!(progress, Progress::Running(_)), result);
    }

    /// Ends the task if `may_end` allows it. Returns whether this call has ended it.
    fn end_if(&self, may_end: impl FnOnce(&Progress<T>) -> bool, result: Result<T, NoResult>) -> bool {
        let mut progress = self.lock();
        if !may_end(&progress) {
            return false;
        }
        let before = mem::replace(&mut *progress, Progress::Ended(result));
        drop(progress);
        self.shared.ended.notify_all();
        // After releasing the lock, because callbacks read the future.
        if let Progress::Pending(callbacks) | Progress::Running(callbacks) = before {
            callbacks.into_iter().for_each(|callback| self.call(callback));
        }
        true
    }

    fn call(&self, callback: impl FnOnce(&Self)) {
        // Caught, because the thread has other tasks and callbacks to run. The panic hook has reported the panic.
        let _ = catch_unwind(AssertUnwindSafe(|| callback(self)));
    }

    fn wait_for(&self, timeout: Option<Duration>) -> MutexGuard<'_, Progress<T>> {
        let is_open = |progress: &mut Progress<T>| !matches!(progress, Progress::Ended(_));
        let (progress, ended) = (self.lock(), &self.shared.ended);
        match timeout {
            Some(timeout) => {
                ended.wait_timeout_while(progress, timeout, is_open).unwrap_or_else(PoisonError::into_inner).0
            }
            None => ended.wait_while(progress, is_open).unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress<T>> {
        // Each change is one assignment, so the state is valid even if the lock is poisoned.
        self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// Yields the futures in the given order, each once it has ended. A slow future delays the ones after it.
pub fn in_order<T>(futures: impl IntoIterator<Item = Future<T>>) -> impl Iterator<Item = Future<T>> {
    futures.into_iter().inspect(Future::wait)
}

/// Yields the futures in the order in which they end, beginning with those that have already ended.
pub fn as_completed<T>(futures: impl IntoIterator<Item = Future<T>>) -> impl Iterator<Item = Future<T>>
where
    T: Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    for future in futures {
        let sender = sender.clone();
        // Fails if the iterator was dropped early.
        future.add_done_callback(move |future| drop(sender.send(future.clone())));
    }
    // Each callback holds a sender until it is called, so the channel closes after the last callback.
    drop(sender);
    receiver.into_iter()
}
