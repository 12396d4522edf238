//! Waiting for what will happen, without guessing when.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Far more than anything here takes on an idle machine: a busy one must not fail a test.
const DEADLINE: Duration = Duration::from_secs(30);
/// Short beside what is waited for, long enough not to be load of its own.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to return. Panics with `what` at the deadline.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {DEADLINE:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}
