//! A failing store ends no worker and loses no outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use api::{AttemptOutcome, JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::{
    Claim, ClaimedJob, Enqueued, FinishedAttempt, JobQueue, JobReport, NewJob, Result, StoreError, Subscription, Topic,
    WorkerName,
};
use tests::eventually;
use tokio::sync::watch;

use crate::harness::{Act, DatabaseUnderTest, QueueHarness};

pub async fn outcomes_are_kept_until_the_store_takes_them(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let queue = Arc::new(Interceptor::before(harness.store.clone()));
    let worker = harness.start_worker_on(queue.clone(), 4);
    let id = harness.add(&[Act::WaitAtGate]).await;
    harness.reaches(id, JobState::Running).await;
    queue.break_down();
    harness.open_gate();
    for _ in 0..4 {
        // The worker tries again after each backoff.
        let before = queue.calls();
        let asks_again = async {
            eventually("it asks again", async || (queue.calls() > before).then_some(())).await;
        };
        tokio::select! { () = asks_again => {}, never = harness.time_passes() => match never {} }
    }
    assert_eq!(harness.job(id).await.state, JobState::Running);
    queue.mend();
    let job = tokio::select! { job = harness.reaches(id, JobState::Done) => job, never = harness.time_passes() => match never {} };
    assert_eq!(job.attempt, 1);
    let next = harness.add(&[Act::Succeed]).await;
    harness.reaches(next, JobState::Done).await;
    harness.stop_worker(worker).await;
}

pub async fn an_idle_worker_asks_the_store_nothing(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let queue = Arc::new(Interceptor::before(harness.store.clone()));
    let worker = harness.start_worker_on(queue.clone(), 4);
    let id = harness.add(&[Act::Succeed]).await;
    harness.reaches(id, JobState::Done).await;
    // Nothing is due and nothing is in flight: the worker sleeps until it is notified.
    harness.clock.task_sleeps_until(api::TimeMs(i64::MAX)).await;
    let calls = queue.calls();
    for _ in 0..48 {
        harness.clock.advance(Duration::from_secs(1800));
        tokio::task::yield_now().await;
    }
    assert_eq!(queue.calls(), calls, "an idle worker asked the store within a day");
    harness.stop_worker(worker).await;
}

pub async fn a_claim_whose_response_is_lost_is_found_by_its_lease(database: DatabaseUnderTest) {
    let harness = QueueHarness::new(database).await;
    let queue = Arc::new(Interceptor::before(harness.store.clone()));
    let id = harness.add(&[Act::Succeed]).await;
    queue.lose_next_claim();
    let worker = harness.start_worker_on(queue, 4);
    tokio::select! { _ = harness.reaches(id, JobState::Done) => {}, never = harness.time_passes() => match never {} }
    assert_eq!(harness.outcomes(id).await, [AttemptOutcome::Lost, AttemptOutcome::Done]);
    harness.stop_worker(worker).await;
}

pub struct Interceptor {
    inner: Arc<dyn JobQueue>,
    fails: AtomicBool,
    loses_claim: AtomicBool,
    holds_claims: watch::Sender<bool>,
    calls: AtomicUsize,
}

impl Interceptor {
    pub fn before(inner: Arc<dyn JobQueue>) -> Self {
        Self {
            inner,
            fails: AtomicBool::new(false),
            loses_claim: AtomicBool::new(false),
            holds_claims: watch::Sender::new(false),
            calls: AtomicUsize::new(0),
        }
    }

    pub fn break_down(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }

    /// Executes claims, and delays their responses until [`Self::let_claims_through`].
    pub fn hold_claims(&self) {
        self.holds_claims.send_replace(true);
    }

    pub fn let_claims_through(&self) {
        self.holds_claims.send_replace(false);
    }

    /// Executes the next claim, and loses its response.
    pub fn lose_next_claim(&self) {
        self.loses_claim.store(true, Ordering::SeqCst);
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn pass(&self) -> Result<&dyn JobQueue> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Connection("the test pulled the plug".to_owned()));
        }
        Ok(&*self.inner)
    }
}

#[async_trait]
impl JobQueue for Interceptor {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        self.pass()?.enqueue(job).await
    }
    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>> {
        let claimed = self.pass()?.claim(claim).await;
        let mut holds_claims = self.holds_claims.subscribe();
        holds_claims.wait_for(|holds| !holds).await.expect("the interceptor holds the sending side");
        if self.loses_claim.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Connection("the test cut the line".to_owned()));
        }
        claimed
    }
    async fn next_due(&self) -> Result<Option<TimeMs>> {
        self.pass()?.next_due().await
    }
    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>> {
        self.pass()?.renew_leases(worker, jobs, until).await
    }
    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64> {
        self.pass()?.finish(attempts).await
    }
    async fn report(&self, report: JobReport) -> Result<bool> {
        self.pass()?.report(report).await
    }
    async fn expire_leases(&self, now: TimeMs) -> Result<u64> {
        self.pass()?.expire_leases(now).await
    }
    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64> {
        self.pass()?.rescue_orphans(now, latest).await
    }
    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>> {
        self.pass()?.cancellations(worker).await
    }
    fn subscribe(&self, topic: Topic) -> Subscription {
        self.inner.subscribe(topic)
    }
}
