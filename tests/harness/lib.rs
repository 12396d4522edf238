//! What the tests share: the browser, the servers and databases that they start, and builders of test data.

pub mod browser;
pub mod builders;
pub mod clock;
pub mod corpus;
pub mod exported;
pub mod http_client;
pub mod postgres_cluster;
pub mod queue_model;
pub mod server_process;
pub mod workload;

use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use clock::HeldClock;
pub use postgres_cluster::{PostgresCluster, PostgresDatabase, PostgresPooler};
pub use queue_model::QueueModel;

/// Far longer than any wait on an idle machine, so that a busy one does not fail a test.
pub const DEADLINE: Duration = Duration::from_secs(180);
/// Short compared with the waits, and long enough not to load the machine.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Polls until there is something to return. Panics with `what` at the deadline.
pub async fn eventually<T>(what: &str, poll: impl AsyncFnMut() -> Option<T>) -> T {
    within(DEADLINE, poll).await.unwrap_or_else(|| panic!("not within {DEADLINE:?}: {what}"))
}

/// Polls until there is something to return, or the time is up.
pub async fn within<T>(time: Duration, mut poll: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + time;
    loop {
        if let Some(found) = poll().await {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        sleep(POLL_INTERVAL).await;
    }
}
