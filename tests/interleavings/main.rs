//! Runs the queue's tasks in many orders, on an in-memory store that checks its calls.
//!
//! Nothing here runs in parallel: at each await shuttle decides which task continues. A failing run prints its seed, and
//! `SHUTTLE_RANDOM_SEED=<seed> cargo test -p tests --test interleavings` repeats it. `SEARCH4LETTERS_FAULTS=long` tries
//! 50 times as many orders.

mod handler;
mod model_store;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use api::{JobState, TimeMs};
use async_trait::async_trait;
use queue::{Backoff, Settings};
use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::RandomScheduler;
use shuttle::{Config, MaxSteps, Runner};
use store::{AttemptResult, Claim, Clock, FinishedAttempt, JobQueue, NewJob};
use tests::builders::START;
use tests::workload::usual_or_long;
use tests::{HeldClock, builders};
use tokio_util::sync::CancellationToken;

use crate::handler::{Attempts, perform_all};
use crate::model_store::ModelStore;

/// Lets other tasks run, up to `most` times.
async fn a_while(most: u32) {
    for _ in 0..thread_rng().gen_range(0..=most) {
        yield_now().await;
    }
}

fn chance(probability: f64) -> bool {
    thread_rng().gen_bool(probability)
}

const SLOTS: usize = 3;
const JOBS: u32 = 6;
const LEASE: Duration = Duration::from_secs(15);
const GRACE: Duration = Duration::from_secs(10);
/// How long a stopping worker tries to store the last outcomes, as in its own constant.
const FLUSH: Duration = Duration::from_secs(5);
/// How much later the last step may be scheduled. Far less than a handler's timeout.
const SLACK: Duration = Duration::from_secs(20);

#[test]
fn no_job_is_forgotten_or_run_without_a_claim() {
    let mut config = Config::new();
    // Many times the steps of a run: beyond this limit a task must be looping.
    config.max_steps = MaxSteps::FailAfter(100_000);
    Runner::new(RandomScheduler::new(usual_or_long(1_000, 50_000)), config).run(|| block_on(one_run()));
}

/// A worker's life, which ends at a random moment or when all jobs are done.
async fn one_run() {
    let simulation = Simulation::new();
    let worker = simulation.start_worker();
    drop(spawn(simulation.clone().time_passes()));
    let has_ended = Arc::new(AtomicBool::new(false));
    // Only in some runs, because spurious wake-ups hide missing ones.
    if chance(0.1) {
        drop(spawn(simulation.clone().the_store_sends_spurious_wake_ups(has_ended.clone())));
    }
    let others = [
        spawn(simulation.clone().jobs_arrive()),
        spawn(simulation.clone().an_administrator_acts()),
        spawn(simulation.clone().another_worker_takes_over()),
    ];
    a_while(300).await;
    if chance(0.5) {
        for other in others {
            other.await.expect("ended");
        }
        simulation.store.calm_down();
        simulation.store.all_end().await;
    }
    let stopped_at = simulation.clock.steady();
    simulation.stop.cancel();
    worker.await.expect("ended");
    has_ended.store(true, SeqCst);
    simulation.attempts.assert_no_breaches();
    assert!(simulation.clock.steady() < stopped_at.after(GRACE + FLUSH + SLACK), "the worker does not stop");
    // A result that could not be stored in time leaves its job to the lease's expiry.
    if simulation.clock.steady() < stopped_at.after(GRACE + FLUSH) {
        simulation.store.assert_nothing_is_forgotten();
    }
}

#[derive(Clone)]
struct Simulation {
    store: Arc<ModelStore>,
    clock: Arc<HeldClock>,
    stop: CancellationToken,
    attempts: Attempts,
    /// Whether the worker knows of other workers.
    is_shared: bool,
}

impl Simulation {
    fn new() -> Self {
        let stop = CancellationToken::new();
        let attempts = Attempts::default();
        let failure_rate = [0.0, 0.1, 0.4][thread_rng().gen_range(0..3)];
        let store = ModelStore::new(builders::worker("ours"), SLOTS, stop.clone(), attempts.clone(), failure_rate);
        let clock = Arc::new(HeldClock::at(START));
        Self { store: Arc::new(store), clock, stop, attempts, is_shared: chance(0.5) }
    }

    fn start_worker(&self) -> JoinHandle<()> {
        let settings = Settings {
            worker: builders::worker("ours"),
            slots: SLOTS,
            claim_debounce: Duration::from_millis(thread_rng().gen_range(0..3)),
            lease: LEASE,
            timeout: Duration::from_secs(60),
            backoff: Backoff { first: Duration::from_secs(1), limit: Duration::from_secs(60) },
            grace: GRACE,
            shares_store: self.is_shared,
            jitter: Arc::new(|| thread_rng().gen_range(0.0..1.0)),
        };
        let (attempts, clock) = (self.attempts.clone(), self.clock.clone());
        let perform = move |jobs| perform_all(jobs, SLOTS, attempts.clone(), clock.clone());
        let clock = Arc::new(YieldingClock(self.clock.clone()));
        let grouped = chance(0.5).then_some("any");
        spawn(queue::run_grouped(self.store.clone(), clock, settings, grouped, perform, self.stop.clone()))
    }

    /// Moves the clock towards the next alarm, without end.
    async fn time_passes(self) {
        loop {
            let next = self.clock.next_alarm().await;
            a_while(20).await;
            let until_then_ms = next.since(self.clock.steady()).max(0).unsigned_abs();
            let step_ms = if chance(0.5) { until_then_ms } else { thread_rng().gen_range(0..=until_then_ms) };
            // A stopping worker needs time to do what the checks expect.
            let step_ms = if self.stop.is_cancelled() { step_ms.min(1_000) } else { step_ms };
            self.clock.advance(Duration::from_millis(step_ms));
        }
    }

    async fn jobs_arrive(self) {
        for _ in 0..JOBS {
            a_while(20).await;
            let now = self.clock.steady();
            let delay = if chance(0.3) { thread_rng().gen_range(0..10) } else { 0 };
            let job = NewJob {
                max_attempts: thread_rng().gen_range(1..4),
                priority: thread_rng().gen_range(0..2),
                run_at: now.after(Duration::from_secs(delay)),
                now,
                ..builders::job("any")
            };
            self.store.enqueue(job).await.expect("the model is there");
        }
    }

    async fn an_administrator_acts(self) {
        for _ in 0..thread_rng().gen_range(0..6) {
            a_while(60).await;
            let now = self.clock.steady();
            if chance(0.3) {
                let limit = chance(0.7).then(|| thread_rng().gen_range(0..3));
                self.store.change(|model| (model.pause("any", chance(0.5)), model.limit("any", limit)));
            } else if chance(0.3)
                && let Some(id) = self.store.any_job(&[JobState::Dead, JobState::Done, JobState::Retrying])
            {
                self.store.change(|model| model.retry(id, now));
            } else if let Some(id) = self.store.any_job(&[JobState::Running, JobState::Waiting]) {
                self.store.cancel(id, now);
            }
        }
        // Jobs end only if their kind may run. A limit of one is enough.
        let limit = chance(0.5).then_some(1);
        self.store.change(|model| (model.limit("any", limit), model.pause("any", false)));
    }

    /// Treats running leases as expired, and runs jobs itself. If the worker knows of other workers, this one may die
    /// during a job, which only the worker can then find.
    async fn another_worker_takes_over(self) {
        let worker = builders::worker("theirs");
        for _ in 0..thread_rng().gen_range(0..4) {
            a_while(100).await;
            let now = self.clock.steady();
            if let Some(id) = self.store.any_job(&[JobState::Running]) {
                self.store.change(|model| model.lose(now, |job| job.id == id));
            }
            if chance(0.5) {
                continue;
            }
            let claim = Claim { worker: worker.clone(), limit: 1, now, lease_until: now.after(LEASE), wall: now };
            for job in self.store.change(|model| model.claim(&claim)) {
                a_while(30).await;
                if self.is_shared && chance(0.5) {
                    return;
                }
                let now = self.clock.steady();
                let (job, attempt, worker) = (job.id, job.attempt, worker.clone());
                let told = FinishedAttempt { job, attempt, worker, result: AttemptResult::Done, now, wall: now };
                self.store.change(|model| model.finish(&told));
            }
        }
    }

    /// Sends spurious wake-ups until the worker has ended.
    async fn the_store_sends_spurious_wake_ups(self, has_ended: Arc<AtomicBool>) {
        while !has_ended.load(SeqCst) {
            a_while(2).await;
            self.store.wake_for_nothing();
        }
    }
}

/// A clock that yields before it sleeps. A task that keeps sleeping until a time in the past then exceeds the step
/// limit instead of hanging the test.
struct YieldingClock(Arc<HeldClock>);

#[async_trait]
impl Clock for YieldingClock {
    fn wall(&self) -> TimeMs {
        self.0.wall()
    }

    fn steady(&self) -> TimeMs {
        self.0.steady()
    }

    async fn sleep_until(&self, time: TimeMs) {
        yield_now().await;
        self.0.sleep_until(time).await;
    }
}
