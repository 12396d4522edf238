//! A thread pool that starts threads on demand, up to a limit.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Future, NoResult, in_order};

/// Runs tasks on a limited number of threads, in the order of their submission.
///
/// Dropping it waits until all tasks have ended, like the end of Python's `with`. [`shutdown`](Self::shutdown) can
/// cancel pending tasks instead.
pub struct ThreadPool {
    most: NonZeroUsize,
    shared: Arc<Shared>,
}

/// What a shutdown does with pending tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    Run,
    Cancel,
}

/// What the pool shares with its threads.
struct Shared {
    queue: Mutex<Queue>,
    /// Notified when a task is added, and when the queue is closed.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    threads: Vec<JoinHandle<()>>,
    /// How many threads are waiting for a task.
    idle: usize,
    is_closed: bool,
}

/// Runs a function and finishes its future. Dropping it instead cancels the future.
type Task = Box<dyn FnOnce() + Send>;

struct CancelOnDrop<T>(Future<T>);

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        // Does nothing if the task has begun.
        self.0.cancel();
    }
}

impl ThreadPool {
    /// A pool of at most `most` threads. Starts none yet.
    pub fn new(most: NonZeroUsize) -> Self {
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new() });
        Self { most, shared }
    }

    /// Runs `function` on the next free thread. Fails only if the pool's first thread cannot be started.
    pub fn submit<T, F>(&self, function: F) -> io::Result<Future<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let future = Future::pending();
        let pending = CancelOnDrop(future.clone());
        let task = move || {
            let CancelOnDrop(future) = &pending;
            // Cancelled tasks stay in the queue and are skipped here.
            if future.begin() {
                let result = catch_unwind(AssertUnwindSafe(function));
                future.finish(result.map_err(|panic| NoResult::Panicked(message(&*panic))));
            }
        };
        let mut queue = self.shared.lock();
        // Each idle thread will take one of the waiting tasks. This task needs another thread.
        if queue.tasks.len() >= queue.idle && queue.threads.len() < self.most.get() {
            match self.start_thread(queue.threads.len()) {
                Ok(thread) => queue.threads.push(thread),
                Err(error) if queue.threads.is_empty() => return Err(error),
                // The existing threads do all the work.
                Err(_) => {}
            }
        }
        queue.tasks.push_back(Box::new(task));
        drop(queue);
        self.shared.changed.notify_one();
        Ok(future)
    }

    /// Submits a call of `function` for each input. Yields the results in the order of the inputs, each as soon as it
    /// and all earlier ones are ready. Fails like [`submit`](Self::submit).
    pub fn map<I, T, F, S>(
        &self,
        function: F,
        inputs: S,
    ) -> io::Result<impl Iterator<Item = Result<T, NoResult>> + use<I, T, F, S>>
    where
        I: Send + 'static,
        T: Clone + Send + 'static,
        F: Fn(I) -> T + Send + Sync + 'static,
        S: IntoIterator<Item = I>,
    {
        let function = Arc::new(function);
        let submit = |input| {
            let function = Arc::clone(&function);
            self.submit(move || function(input))
        };
        let futures = inputs.into_iter().map(submit).collect::<io::Result<Vec<_>>>()?;
        Ok(in_order(futures).map(|future| future.result(None)))
    }

    /// Ends the pool: runs or cancels pending tasks, and waits for running ones.
    pub fn shutdown(self, pending: Pending) {
        // Dropping the pool runs them.
        if pending == Pending::Cancel {
            let tasks = mem::take(&mut self.shared.lock().tasks);
            // After releasing the lock: a callback may be slow, or submit another task.
            drop(tasks);
        }
    }

    fn start_thread(&self, number: usize) -> io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name(format!("pool-{number}")).spawn(move || shared.work())
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_closed = true;
        let threads = mem::take(&mut queue.threads);
        drop(queue);
        self.shared.changed.notify_all();
        for thread in threads {
            // A task may drop the last reference to the pool, and its thread cannot join itself.
            if thread.thread().id() != thread::current().id() {
                // The panics of tasks and callbacks are caught, so a thread never fails.
                let _ = thread.join();
            }
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Shared {
    /// A thread's main loop.
    fn work(&self) {
        while let Some(task) = self.next() {
            task();
        }
    }

    /// Waits for a task. Returns `None` once the queue is closed and empty.
    fn next(&self) -> Option<Task> {
        let mut queue = self.lock();
        loop {
            if let Some(task) = queue.tasks.pop_front() {
                return Some(task);
            }
            if queue.is_closed {
                return None;
            }
            queue.idle += 1;
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No task runs while the lock is held, so the queue is valid even if the lock is poisoned.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message of a panic: its payload is a `&str` or a `String`.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_started_only_when_none_is_idle() {
        let pool = ThreadPool::new(NonZeroUsize::new(8).expect("eight"));
        assert_eq!(pool.shared.lock().threads.len(), 0);
        for _ in 0..20 {
            pool.submit(|| ()).expect("a thread can be started").wait();
            // A thread publishes its result a moment before it is idle.
            while pool.shared.lock().idle == 0 {
                thread::yield_now();
            }
        }
        assert_eq!(pool.shared.lock().threads.len(), 1);
    }
}
