//! Tasks of a page that end when they are not needed any more.

use futures::future::{AbortHandle, abortable};
use leptos::task::spawn_local;

/// A running task. Dropping it ends the task where it waits, and so aborts the request that it waits for.
pub struct Task(AbortHandle);

impl Task {
    pub fn start(task: impl Future<Output = ()> + 'static) -> Self {
        let (task, handle) = abortable(task);
        spawn_local(async move {
            let _ = task.await;
        });
        Self(handle)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
