//! Tells what is being done, how far along it is, and how long it took.

use std::time::Instant;

pub(crate) struct Steps {
    total: u32,
    begun: u32,
    started: Instant,
}

impl Steps {
    pub(crate) fn new(total: u32) -> Self {
        Self { total, begun: 0, started: Instant::now() }
    }

    /// Does one step. `what` is said before it begins, so it may promise how long that takes.
    pub(crate) fn step<T>(&mut self, what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.begun += 1;
        eprintln!("[{}/{}] {what} ...", self.begun, self.total);
        let started = Instant::now();
        let outcome = work()?;
        let (step, all) = (started.elapsed().as_secs_f64(), self.started.elapsed().as_secs_f64());
        eprintln!("[{}/{}] done in {step:.1} s, {all:.1} s since the start", self.begun, self.total);
        Ok(outcome)
    }

    /// Says that a step is not needed.
    pub(crate) fn skip(&mut self, why: &str) {
        self.begun += 1;
        eprintln!("[{}/{}] {why}", self.begun, self.total);
    }

    /// Says what all took.
    pub(crate) fn finish(&self, what: &str) {
        let seconds = self.started.elapsed().as_secs();
        eprintln!("{what} in {} min {} s", seconds / 60, seconds % 60);
    }
}
