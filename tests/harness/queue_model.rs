//! The queue as a list of jobs in memory, simple enough to be obviously correct. Tests compare stores with it, or use it
//! as one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use api::{AttemptOutcome, JobCounts, JobId, JobState, TimeMs};
use store::{AttemptResult, Claim, ClaimedJob, FinishedAttempt, LOG_JOB, NewJob, StoredKind, WorkerName};

#[derive(Clone, Debug, Default)]
pub struct QueueModel {
    pub jobs: Vec<ModelJob>,
    /// Every kind that ever existed, by name.
    pub kinds: BTreeMap<String, ModelKind>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelKind {
    pub paused: bool,
    pub limit: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct ModelJob {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    pub key: Option<String>,
    pub priority: i16,
    pub state: JobState,
    pub attempt: u32,
    pub max_attempts: u32,
    pub run_at: TimeMs,
    pub lease_until: TimeMs,
    pub worker: Option<WorkerName>,
    pub cancel_requested: bool,
    /// When the last attempt began.
    pub started_at: TimeMs,
    pub finished_at: Option<TimeMs>,
    /// The ended ones, oldest first.
    pub attempts: Vec<ModelAttempt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAttempt {
    pub number: u32,
    pub worker: String,
    pub started_at: TimeMs,
    pub finished_at: Option<TimeMs>,
    pub outcome: AttemptOutcome,
}

impl QueueModel {
    pub fn with_key(&self, key: Option<&str>) -> Option<JobId> {
        key.and_then(|key| self.jobs.iter().find(|job| job.key.as_deref() == Some(key))).map(|job| job.id)
    }

    pub fn add(&mut self, id: JobId, new: &NewJob) {
        self.kinds.entry(new.kind.clone()).or_default();
        self.jobs.push(ModelJob {
            id,
            kind: new.kind.clone(),
            payload: new.payload.clone(),
            key: new.key.clone(),
            priority: new.priority,
            state: if new.run_at > new.now { JobState::Scheduled } else { JobState::Waiting },
            attempt: 0,
            max_attempts: new.max_attempts,
            run_at: new.run_at,
            lease_until: TimeMs(0),
            worker: None,
            cancel_requested: false,
            started_at: TimeMs(0),
            finished_at: None,
            attempts: Vec::new(),
        });
    }

    pub fn claim(&mut self, claim: &Claim) -> Vec<ClaimedJob> {
        for job in &mut self.jobs {
            if matches!(job.state, JobState::Scheduled | JobState::Retrying) && job.run_at <= claim.now {
                job.state = JobState::Waiting;
            }
        }
        let mut free: BTreeMap<String, u32> =
            self.kinds.keys().map(|kind| (kind.clone(), self.free_slots(kind))).collect();
        let mut waiting: Vec<&mut ModelJob> =
            self.jobs.iter_mut().filter(|job| job.state == JobState::Waiting).collect();
        waiting.sort_by_key(|job| (Reverse(job.priority), job.id));
        let may_run = waiting.into_iter().filter(|job| {
            let free = free.get_mut(&job.kind).expect("a kind is known since its first job");
            let is_free = *free > 0;
            *free = free.saturating_sub(1);
            is_free
        });
        let claimed = may_run.take(claim.limit as usize).map(|job| {
            job.state = JobState::Running;
            job.attempt += 1;
            job.worker = Some(claim.worker.clone());
            job.lease_until = claim.lease_until;
            job.started_at = claim.wall;
            ClaimedJob {
                id: job.id,
                kind: job.kind.clone(),
                payload: job.payload.clone(),
                attempt: job.attempt,
                max_attempts: job.max_attempts,
            }
        });
        claimed.collect()
    }

    /// How many more jobs of this kind may begin.
    fn free_slots(&self, kind: &str) -> u32 {
        match self.kinds[kind] {
            ModelKind { paused: true, .. } => 0,
            ModelKind { limit: None, .. } => u32::MAX,
            ModelKind { limit: Some(limit), .. } => limit.saturating_sub(self.running(kind)),
        }
    }

    pub fn running(&self, kind: &str) -> u32 {
        let running = self.jobs.iter().filter(|job| job.kind == kind && job.state == JobState::Running);
        u32::try_from(running.count()).expect("few")
    }

    pub fn pause(&mut self, kind: &str, paused: bool) -> bool {
        self.kinds.get_mut(kind).map(|kind| kind.paused = paused).is_some()
    }

    pub fn limit(&mut self, kind: &str, limit: Option<u32>) -> bool {
        self.kinds.get_mut(kind).map(|kind| kind.limit = limit).is_some()
    }

    pub fn renew_leases(&mut self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Vec<JobId> {
        let held = self.jobs.iter_mut().filter(|job| jobs.contains(&job.id) && job.worker.as_ref() == Some(worker));
        let held: Vec<JobId> = held
            .map(|job| {
                job.lease_until = until;
                job.id
            })
            .collect();
        jobs.iter().copied().filter(|job| !held.contains(job)).collect()
    }

    pub fn finish(&mut self, finished: &FinishedAttempt) -> u64 {
        let FinishedAttempt { job, attempt, worker, result, now, .. } = finished;
        let held = |it: &&mut ModelJob| it.id == *job && it.attempt == *attempt && it.worker.as_ref() == Some(worker);
        let Some(job) = self.jobs.iter_mut().find(held) else { return 0 };
        let now = *now;
        let number = job.attempt;
        match result {
            AttemptResult::Done => job.end(number, AttemptOutcome::Done, JobState::Done, now),
            AttemptResult::Dead { .. } => job.end(number, AttemptOutcome::Dead, JobState::Dead, now),
            AttemptResult::Cancelled => job.end(number, AttemptOutcome::Cancelled, JobState::Cancelled, now),
            _ if job.cancel_requested => job.end(number, AttemptOutcome::Cancelled, JobState::Cancelled, now),
            AttemptResult::Retry { .. } if number >= job.max_attempts => {
                job.end(number, AttemptOutcome::Dead, JobState::Dead, now);
            }
            AttemptResult::Retry { after, .. } => {
                job.end(number, AttemptOutcome::Failed, JobState::Retrying, now);
                job.run_at = now.after(*after);
            }
            AttemptResult::Release => {
                job.end(number, AttemptOutcome::Released, JobState::Waiting, now);
                job.attempt -= 1;
                job.run_at = now;
            }
        }
        1
    }

    pub fn expire_leases(&mut self, now: TimeMs) -> u64 {
        self.lose(now, |job| job.lease_until < now)
    }

    /// Ends the running attempts of these jobs as lost.
    pub fn lose(&mut self, now: TimeMs, is_lost: impl Fn(&ModelJob) -> bool) -> u64 {
        let mut lost = 0;
        for job in self.jobs.iter_mut().filter(|job| job.state == JobState::Running && is_lost(job)) {
            let next = match job {
                ModelJob { cancel_requested: true, .. } => JobState::Cancelled,
                _ if job.attempt >= job.max_attempts => JobState::Dead,
                _ => JobState::Waiting,
            };
            job.end(job.attempt, AttemptOutcome::Lost, next, now);
            if next == JobState::Waiting {
                job.run_at = now;
            }
            lost += 1;
        }
        lost
    }

    pub fn grant_attempts(&mut self) {
        let running = self.jobs.iter_mut().filter(|job| job.state == JobState::Running);
        running.for_each(|job| job.max_attempts += 1);
    }

    pub fn pull_schedules(&mut self, latest: TimeMs) {
        for job in &mut self.jobs {
            if matches!(job.state, JobState::Scheduled | JobState::Retrying) {
                job.run_at = job.run_at.min(latest);
            }
        }
    }

    pub fn cancellations(&self, worker: &WorkerName) -> Vec<JobId> {
        let theirs = |job: &&ModelJob| job.cancel_requested && job.worker.as_ref() == Some(worker);
        self.jobs.iter().filter(theirs).map(|job| job.id).collect()
    }

    pub fn retry(&mut self, id: JobId, now: TimeMs) -> bool {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id && job.state.can_retry()) else { return false };
        job.state = JobState::Waiting;
        job.run_at = now;
        job.max_attempts = job.max_attempts.max(job.attempt + 1);
        job.finished_at = None;
        true
    }

    pub fn cancel(&mut self, id: JobId, now: TimeMs) -> bool {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id && job.state.can_cancel()) else { return false };
        if job.state == JobState::Running {
            job.cancel_requested = true;
        } else {
            job.state = JobState::Cancelled;
            job.finished_at = Some(now);
        }
        true
    }

    /// Removes finished jobs. `has_row` says whether the search of a log job's key is in the log. A log job that is done
    /// without a row is the last trace of its search, and is kept.
    pub fn prune(&mut self, before: TimeMs, limit: u32, has_row: impl Fn(&str) -> bool) -> u64 {
        let is_last_trace = |job: &ModelJob| {
            let lacks_row = job.kind == LOG_JOB && !job.key.as_deref().is_some_and(&has_row);
            lacks_row && job.state == JobState::Done
        };
        let is_prunable = |job: &ModelJob| {
            let has_ended = matches!(job.state, JobState::Done | JobState::Cancelled);
            has_ended && job.finished_at.is_some_and(|end| end < before) && !is_last_trace(job)
        };
        let mut ended: Vec<(Option<TimeMs>, JobId)> =
            self.jobs.iter().filter(|job| is_prunable(job)).map(|job| (job.finished_at, job.id)).collect();
        ended.sort_unstable();
        ended.truncate(limit as usize);
        self.jobs.retain(|job| !ended.contains(&(job.finished_at, job.id)));
        ended.len() as u64
    }

    pub fn next_due(&self) -> Option<TimeMs> {
        let later = |job: &&ModelJob| matches!(job.state, JobState::Scheduled | JobState::Retrying);
        self.jobs.iter().filter(later).map(|job| job.run_at).min()
    }

    pub fn counts(&self) -> JobCounts {
        count(self.jobs.iter())
    }

    pub fn stored_kinds(&self) -> Vec<StoredKind> {
        let kinds = self.kinds.iter().map(|(name, kind)| StoredKind {
            kind: name.clone(),
            paused: kind.paused,
            limit: kind.limit,
            counts: count(self.jobs.iter().filter(|job| job.kind == *name)),
        });
        kinds.collect()
    }
}

fn count<'a>(jobs: impl Iterator<Item = &'a ModelJob>) -> JobCounts {
    let mut counts = JobCounts::default();
    jobs.for_each(|job| counts.set(job.state, counts.of(job.state) + 1));
    counts
}

impl ModelJob {
    fn end(&mut self, number: u32, outcome: AttemptOutcome, next: JobState, now: TimeMs) {
        let worker = self.worker.take().expect("it is running").0;
        let (started_at, finished_at) = (self.started_at, Some(now));
        self.attempts.push(ModelAttempt { number, worker, started_at, finished_at, outcome });
        self.state = next;
        self.cancel_requested = false;
        self.finished_at = next.is_final().then_some(now);
    }
}
