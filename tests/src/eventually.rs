//! Waiting for what will happen, without guessing when.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Far more than anything here takes on an idle machine: a busy one must not fail a test.
const DEADLINE: Duration = Duration::from_secs(30);
/// Short beside what is waited for, long enough not to be load of its own.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to return. Panics with `what` at the deadline.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    within(DEADLINE, look).await.unwrap_or_else(|| panic!("not within {DEADLINE:?}: {what}"))
}

/// Looks again and again until there is something to return, or `patience` is over.
pub async fn within<T>(patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        sleep(LOOK_EVERY).await;
    }
}
