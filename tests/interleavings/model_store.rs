//! An in-memory store that sometimes fails, and checks its worker's calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use api::{JobId, JobState, TimeMs};
use async_trait::async_trait;
use shuttle::rand::{Rng, thread_rng};
use store::{
    AttemptResult, Claim, ClaimedJob, Enqueued, FinishedAttempt, JobQueue, JobReport, NewJob, Notifier, Result,
    StoreError, Subscription, Topic, WorkerName,
};
use tests::QueueModel;
use tests::queue_model::{ModelJob, ModelKind};
use tokio_util::sync::CancellationToken;

use crate::handler::{AttemptId, Attempts};
use crate::{a_while, chance};

/// The most failures in a row.
const FAILURES_IN_A_ROW: u32 = 3;

/// After a cancellation the worker must ask for it within this number of successful calls.
const CANCELLATIONS_WITHIN: u32 = 20;

pub struct ModelStore {
    /// The worker whose dispatcher is checked.
    worker: WorkerName,
    slots: usize,
    stop: CancellationToken,
    attempts: Attempts,
    waker: Notifier,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    model: QueueModel,
    last_id: i64,
    /// The attempts that the worker has claimed, until it knows that their results are stored.
    held: BTreeSet<AttemptId>,
    /// How often a call fails.
    failure_rate: f64,
    failures_in_a_row: u32,
    has_failed_since_stop: bool,
    /// Calls since a running job was cancelled, until the worker learns of it.
    unheard_cancellation: Option<u32>,
}

impl ModelStore {
    pub fn new(
        worker: WorkerName,
        slots: usize,
        stop: CancellationToken,
        attempts: Attempts,
        failure_rate: f64,
    ) -> Self {
        let state = Mutex::new(State { failure_rate, ..State::default() });
        Self { worker, slots, stop, attempts, waker: Notifier::default(), state }
    }

    /// From now on nothing fails.
    pub fn calm_down(&self) {
        self.state().failure_rate = 0.0;
    }

    /// Returns once every job has reached its end.
    pub async fn all_end(&self) {
        let mut jobs = self.waker.subscribe(Topic::Jobs);
        while self.state().model.jobs.iter().any(|job| !job.state.is_final()) {
            jobs.changed().await;
        }
    }

    /// Some job in one of `states`.
    pub fn any_job(&self, states: &[JobState]) -> Option<JobId> {
        let state = self.state();
        let jobs = state.model.jobs.iter().filter(|job| states.contains(&job.state));
        let jobs: Vec<JobId> = jobs.map(|job| job.id).collect();
        (!jobs.is_empty()).then(|| jobs[thread_rng().gen_range(0..jobs.len())])
    }

    /// A change by others, without the worker's knowledge.
    pub fn change<A>(&self, act: impl FnOnce(&mut QueueModel) -> A) -> A {
        self.commit(|state| act(&mut state.model))
    }

    /// Stores may send a wake-up without a reason.
    pub fn wake_for_nothing(&self) {
        self.waker.notify(Topic::Work);
    }

    pub fn cancel(&self, id: JobId, now: TimeMs) {
        self.change(|model| model.cancel(id, now));
        let is_ours = self.state().model.cancellations(&self.worker).contains(&id);
        if is_ours {
            self.state().unheard_cancellation.get_or_insert(0);
            self.waker.notify(Topic::Cancel);
        }
    }

    /// To be called after the worker has ended.
    pub fn assert_nothing_is_forgotten(&self) {
        let state = self.state();
        // Results that the store did not accept leave their jobs to the leases' expiry.
        if state.has_failed_since_stop {
            return;
        }
        let running = state.model.jobs.iter().filter(|job| job.worker.as_ref() == Some(&self.worker));
        let running: Vec<JobId> = running.map(|job| job.id).collect();
        assert!(running.is_empty(), "{running:?} are forgotten");
        assert!(state.held.is_empty(), "{:?} were not given back", state.held);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("only a check that failed poisons it")
    }

    fn commit<A>(&self, act: impl FnOnce(&mut State) -> A) -> A {
        let (answer, touched) = {
            let mut state = self.state();
            let before = state.was();
            let answer = act(&mut state);
            (answer, state.touched_since(&before))
        };
        touched.into_iter().for_each(|topic| self.waker.notify(topic));
        answer
    }

    /// A call of the worker: takes time, and sometimes fails.
    async fn call<A>(&self, act: impl FnOnce(&mut State) -> A) -> Result<A> {
        self.state().count_call();
        self.attempts.count_call();
        a_while(3).await;
        self.answer(())?;
        let answer = self.commit(act);
        a_while(3).await;
        Ok(answer)
    }

    /// The response, if it arrives.
    fn answer<A>(&self, answer: A) -> Result<A> {
        let is_stopping = self.stop.is_cancelled();
        if self.state().fails(is_stopping) {
            self.attempts.grant_time();
            Err(StoreError::Connection("the model fails".to_owned()))
        } else {
            Ok(answer)
        }
    }
}

/// The state before a change.
struct Was {
    states: Vec<JobState>,
    kinds: BTreeMap<String, ModelKind>,
}

impl Was {
    /// Whether jobs of this kind may begin that could not before.
    fn opens(&self, kind: &str, is: ModelKind) -> bool {
        let was = self.kinds.get(kind).copied().unwrap_or_default();
        let is_raised = match (was.limit, is.limit) {
            (Some(was), Some(is)) => is > was,
            (was, is) => was.is_some() && is.is_none(),
        };
        (was.paused && !is.paused) || is_raised
    }
}

impl State {
    fn was(&self) -> Was {
        let states = self.model.jobs.iter().map(|job| job.state).collect();
        Was { states, kinds: self.model.kinds.clone() }
    }

    /// The job of this attempt, unless the worker has lost it.
    fn job(&self, worker: &WorkerName, (id, attempt): AttemptId) -> Option<&ModelJob> {
        let jobs = &self.model.jobs;
        jobs.iter().find(|job| job.id == id && job.attempt == attempt && job.worker.as_ref() == Some(worker))
    }

    /// The topics that a store must notify, and no others. Jobs are only ever added.
    fn touched_since(&self, was: &Was) -> Vec<Topic> {
        let later = |state: JobState| matches!(state, JobState::Scheduled | JobState::Retrying);
        let changes = self.model.jobs.iter().enumerate().map(|(index, job)| (was.states.get(index).copied(), job));
        let changes: Vec<_> = changes.filter(|(was, job)| *was != Some(job.state)).collect();
        let is_changed = !changes.is_empty() || self.model.kinds != was.kinds;
        let is_limited = |job: &ModelJob| self.model.kinds[&job.kind].limit.is_some();
        let is_work = |(was, job): &(Option<JobState>, &ModelJob)| {
            let has_room = *was == Some(JobState::Running) && is_limited(job);
            has_room || was.is_some_and(later) || later(job.state) || job.state == JobState::Waiting
        };
        let has_work = changes.iter().any(is_work) || self.model.kinds.iter().any(|(kind, is)| was.opens(kind, *is));
        let topics = [(Topic::Jobs, is_changed), (Topic::Work, has_work)];
        topics.into_iter().filter(|(_, touched)| *touched).map(|(topic, _)| topic).collect()
    }

    fn count_call(&mut self) {
        if let Some(calls) = &mut self.unheard_cancellation {
            *calls += 1;
            assert!(*calls <= CANCELLATIONS_WITHIN, "a job was cancelled, and the worker does not read which");
        }
    }

    fn fails(&mut self, is_stopping: bool) -> bool {
        let fails = self.failures_in_a_row < FAILURES_IN_A_ROW && chance(self.failure_rate);
        self.failures_in_a_row = if fails { self.failures_in_a_row + 1 } else { 0 };
        self.has_failed_since_stop |= fails && is_stopping;
        if fails {
            self.unheard_cancellation = self.unheard_cancellation.map(|_| 0);
        }
        fails
    }
}

#[async_trait]
impl JobQueue for ModelStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        let id = {
            let mut state = self.state();
            state.last_id += 1;
            JobId(state.last_id)
        };
        self.change(|model| model.add(id, &job));
        Ok(Enqueued::New(id))
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>> {
        assert!(!self.stop.is_cancelled(), "a claim after the stop");
        {
            let state = self.state();
            let held = state.held.len();
            assert!(held + claim.limit as usize <= self.slots, "a claim of {} with {held} held", claim.limit);
            let due_in_ms = claim.lease_until.since(claim.now) * 2 / 3;
            for job in state.held.iter().filter_map(|&attempt| state.job(&claim.worker, attempt)) {
                let left_ms = job.lease_until.since(claim.now);
                assert!(left_ms > due_in_ms, "it claims before it renews the lease of {:?}, {left_ms} ms", job.id);
            }
        }
        self.call(|state| {
            let jobs = state.model.claim(&claim);
            for job in &jobs {
                assert!(state.held.insert((job.id, job.attempt)), "{job:?} is already held");
            }
            jobs
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<TimeMs>> {
        self.call(|state| state.model.next_due()).await
    }

    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>> {
        let held: BTreeSet<JobId> = self.state().held.iter().map(|&(job, _)| job).collect();
        assert!(held.iter().eq(jobs), "leases of {jobs:?} are renewed, and {held:?} are held");
        let lost = self.call(|state| state.model.renew_leases(worker, jobs, until)).await?;
        self.answer(lost)
    }

    async fn finish(&self, told: Vec<FinishedAttempt>) -> Result<u64> {
        for told in &told {
            let attempt = (told.job, told.attempt);
            assert!(self.state().held.contains(&attempt), "{told:?} is reported again, or was never claimed");
            assert_eq!(told.result == AttemptResult::Done, self.attempts.has_succeeded(attempt), "{told:?}");
            self.attempts.report(attempt);
        }
        let is_stopping = self.stop.is_cancelled();
        let finish = |state: &mut State, told: &FinishedAttempt| {
            if let Some(job) = state.job(&told.worker, (told.job, told.attempt)) {
                assert!(
                    told.result != AttemptResult::Cancelled || job.cancel_requested,
                    "nobody wanted {job:?} to stop"
                );
                assert!(told.result != AttemptResult::Release || is_stopping, "{job:?} was not lost");
            }
            state.model.finish(told)
        };
        let stored = self.call(|state| told.iter().map(|told| finish(state, told)).sum()).await?;
        let stored = self.answer(stored)?;
        self.state().held.retain(|held| !told.iter().any(|told| *held == (told.job, told.attempt)));
        Ok(stored)
    }

    async fn expire_leases(&self, now: TimeMs) -> Result<u64> {
        let lost = self
            .call(|state| {
                let ran_out = |job: &&ModelJob| job.worker.is_some() && job.lease_until < now;
                for job in state.model.jobs.iter().filter(ran_out) {
                    let attempt = (job.id, job.attempt);
                    assert!(!state.held.contains(&attempt), "it took its own {attempt:?} for another worker's");
                }
                state.model.expire_leases(now)
            })
            .await?;
        self.answer(lost)
    }

    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>> {
        let wanted = self.call(|state| (state.model.cancellations(worker), state.unheard_cancellation.take())).await;
        wanted.map(|(wanted, _)| wanted)
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        self.waker.subscribe(topic)
    }

    async fn report(&self, report: JobReport) -> Result<bool> {
        self.call(|state| state.job(&report.worker, (report.job, report.attempt)).is_some()).await
    }

    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64> {
        let rescue = |state: &mut State| {
            state.model.pull_schedules(latest);
            state.model.grant_attempts();
            state.model.lose(now, |_| true)
        };
        self.call(rescue).await
    }
}
