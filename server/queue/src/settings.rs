//! How a worker process works.

use std::sync::Arc;
use std::time::Duration;

use store::WorkerName;

#[derive(Clone)]
pub struct Settings {
    pub worker: WorkerName,
    /// How many jobs run side by side at most. At least 1.
    pub slots: usize,
    /// How long new jobs gather after a claim that took all there were, before the next claim. A job that comes alone
    /// does not wait. Where many come, a claim for each would be a transaction for each, and all who write wait for
    /// each other: also those whom somebody waits for.
    pub gathering: Duration,
    /// How long a claim holds without being renewed; it is renewed three times as often.
    pub lease: Duration,
    /// How long an attempt may take.
    pub timeout: Duration,
    pub backoff: Backoff,
    /// How long running jobs may go on after the process was asked to stop.
    pub grace: Duration,
    /// Whether others run jobs from the same store: then nobody but those who go on can find what one that is gone
    /// has left, so that it is looked for also while there is nothing to do. Where nobody else does, an idle worker
    /// costs no SQL.
    pub shares_store: bool,
    /// A number in 0..1, another one each time: spreads out retries.
    pub roll: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// How long a failed job waits before it is run again: doubles each time up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub limit: Duration,
}

impl Backoff {
    /// The wait after the failure number `failures` (1 for the first). `roll` in 0..1 shortens
    /// it by up to a quarter, so that jobs that failed together do not come back together.
    #[must_use]
    pub fn after(self, failures: u32, roll: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.limit);
        full.mul_f64(1.0 - 0.25 * roll.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), limit: Duration::from_secs(60) };

    #[test]
    fn doubles_up_to_the_limit() {
        let seconds: Vec<u64> = (1..=8).map(|failures| BACKOFF.after(failures, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(BACKOFF.after(u32::MAX, 0.0), Duration::from_secs(60));
    }

    #[test]
    fn is_spread_by_up_to_a_quarter() {
        assert_eq!(BACKOFF.after(3, 1.0), Duration::from_secs(3));
        assert_eq!(BACKOFF.after(3, 0.5), Duration::from_millis(3500));
    }
}
