//! The settings of a worker process.

use std::sync::Arc;
use std::time::Duration;

use store::WorkerName;

#[derive(Clone)]
pub struct Settings {
    pub worker: WorkerName,
    /// The most jobs that run at the same time. At least 1.
    pub slots: usize,
    /// How long the next claim waits after one that left no job waiting. A single job is claimed at once, and jobs in
    /// quick succession are claimed together: a transaction for each would delay all other writes.
    pub claim_debounce: Duration,
    /// How long a claim is valid without being renewed. It is renewed three times in that time.
    pub lease: Duration,
    /// How long an attempt may take.
    pub timeout: Duration,
    pub backoff: Backoff,
    /// How long running jobs may continue after the process was asked to stop.
    pub grace: Duration,
    /// Whether other processes run jobs from the same store. If so, idle workers also look for expired leases, because
    /// a dead process cannot rescue its own jobs. Otherwise an idle worker runs no SQL.
    pub shares_store: bool,
    /// Returns a random number in 0..1, to spread out retries.
    pub jitter: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// How long a failed job waits before it runs again: the delay doubles each time, up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub limit: Duration,
}

impl Backoff {
    /// The delay after `failures` failures in a row. `jitter` in 0..1 shortens it by up to a quarter, so that jobs
    /// that failed together do not run again together.
    pub fn after(self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.limit);
        full.mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), limit: Duration::from_secs(60) };

    #[test]
    fn the_delay_doubles_up_to_the_limit() {
        let seconds: Vec<u64> = (1..=8).map(|failures| BACKOFF.after(failures, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(BACKOFF.after(u32::MAX, 0.0), Duration::from_secs(60));
    }

    #[test]
    fn jitter_shortens_the_delay_by_up_to_a_quarter() {
        assert_eq!(BACKOFF.after(3, 1.0), Duration::from_secs(3));
        assert_eq!(BACKOFF.after(3, 0.5), Duration::from_millis(3500));
    }
}
