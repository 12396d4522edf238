//! What a thread pool hands out for a task: its state, and in the end its result.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No thread has taken it yet.
    Pending,
    /// A thread is at it.
    Running,
    /// It has returned, or panicked.
    Finished,
    /// It was given up while it was pending.
    Cancelled,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResult {
    #[error("the task was cancelled before it began")]
    Cancelled,
    /// With what it said.
    #[error("the task panicked: {0}")]
    Panicked(String),
    /// Not within the time for which one wanted to wait. The task is where it was, and can be waited for again.
    #[error("the task has not ended yet")]
    TimedOut,
}

/// One task's result, which is there or to come. Clones are of the same task.
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

    /// Where the task is at this moment; the next moment it may be further.
    #[must_use]
    pub fn state(&self) -> State {
        match &*self.lock() {
            Progress::Pending(_) => State::Pending,
            Progress::Running(_) => State::Running,
            Progress::Ended(Err(NoResult::Cancelled)) => State::Cancelled,
            Progress::Ended(_) => State::Finished,
        }
    }

    /// Gives the task up if it has not begun. Returns whether it is cancelled now: one that runs cannot be stopped.
    pub fn cancel(&self) -> bool {
        self.end_if(|progress| matches!(progress, Progress::Pending(_)), Err(NoResult::Cancelled))
            || self.state() == State::Cancelled
    }

    /// Waits until the task has ended, for so long at most (none: as long as it takes), and returns what came of it.
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

    /// Has this called once the task has ended, by the thread that ends it: the one that ran it, or the one that
    /// cancelled it. If it has ended already, it is called here and now. A callback that panics harms nobody.
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

    /// From pending to running. False if it is not pending any more: then nobody may run it.
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

    /// The step to the end, from where `may_end` allows it. Returns whether this call has made it.
    fn end_if(&self, may_end: impl FnOnce(&Progress<T>) -> bool, result: Result<T, NoResult>) -> bool {
        let mut progress = self.lock();
        if !may_end(&progress) {
            return false;
        }
        let before = mem::replace(&mut *progress, Progress::Ended(result));
        drop(progress);
        self.shared.ended.notify_all();
        // Without the lock: callbacks look at the future.
        if let Progress::Pending(callbacks) | Progress::Running(callbacks) = before {
            callbacks.into_iter().for_each(|callback| self.call(callback));
        }
        true
    }

    fn call(&self, callback: impl FnOnce(&Self)) {
        // The thread goes on with other tasks, and other callbacks wait for their turn. The panic hook has reported it.
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
        // Each change is one assignment, so a thread that panicked has left nothing half done.
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
