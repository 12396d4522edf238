//! The one task of a worker process that talks to the store's job queue.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use store::{AttemptResult, Claim, ClaimedJob, Clock, FinishedAttempt, JobQueue, Result, StoreError, Topic};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, End, EndedAttempt, InFlight, StopReason};
use crate::settings::{Backoff, Settings};

/// The most jobs that one claim takes, so that its commit does not delay others for long.
const CLAIM_LIMIT: usize = 512;

/// The delays between tries while the database does not answer.
const STORE_BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), limit: Duration::from_secs(5) };

/// How long storing the last results may take once all attempts have stopped. A job whose result is not stored by then
/// is rescued when its lease expires, or at the next start.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Claims jobs for the free slots, renews their leases, and stores the results.
///
/// It sleeps until a wake-up, the next due job or the next renewal. An idle queue runs no SQL, unless it shares its
/// store with other processes, whose jobs it must rescue when they die. After an error of the store it retries with
/// backoff, for ever.
pub(crate) struct Dispatcher {
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// The kind whose jobs run together, see [`crate::run_grouped`].
    grouped: Option<&'static str>,
    jobs: mpsc::Sender<Attempt>,
    ended: mpsc::Receiver<EndedAttempt>,
    /// Cancelled when the process is asked to stop. From then on nothing is claimed.
    stop_asked: CancellationToken,
    in_flight: InFlight,
    /// Results that are not stored yet.
    unstored: Vec<FinishedAttempt>,
    timers: Timers,
}

/// When the next actions are due.
#[derive(Debug)]
struct Timers {
    /// Whether jobs may be claimable without a further wake-up.
    may_have_work: bool,
    /// No claim before this time, see [`Settings::claim_debounce`].
    claim_at: TimeMs,
    may_have_cancellations: bool,
    /// The due time of the earliest scheduled or retrying job, as last read.
    due_at: Option<TimeMs>,
    is_due_stale: bool,
    renew_at: TimeMs,
    /// When to look for expired leases, besides at each renewal. On a shared store this repeats, because any other
    /// worker may have died. Otherwise it is set when a claim has failed: the store may have executed it anyway, and
    /// then nothing else finds its jobs.
    expire_at: Option<TimeMs>,
    /// Failures of the store in a row, and when to try again.
    failures: u32,
    retry_at: Option<TimeMs>,
    shutdown: Shutdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    NotAsked,
    /// Running jobs may continue until this time.
    Grace(TimeMs),
    /// Running jobs were stopped. Their results are stored until this time.
    Flush(TimeMs),
}

impl Dispatcher {
    pub(crate) fn new(
        queue: Arc<dyn JobQueue>,
        clock: Arc<dyn Clock>,
        settings: Settings,
        grouped: Option<&'static str>,
        jobs: mpsc::Sender<Attempt>,
        ended: mpsc::Receiver<EndedAttempt>,
        stop_asked: CancellationToken,
    ) -> Self {
        let timers = Timers {
            may_have_work: true,
            claim_at: clock.steady(),
            may_have_cancellations: false,
            due_at: None,
            is_due_stale: true,
            renew_at: clock.steady(),
            expire_at: settings.shares_store.then(|| clock.steady()),
            failures: 0,
            retry_at: None,
            shutdown: Shutdown::NotAsked,
        };
        let (in_flight, unstored) = (InFlight::default(), Vec::new());
        Self { queue, clock, settings, grouped, jobs, ended, stop_asked, in_flight, unstored, timers }
    }

    /// Dispatches until it is asked to stop, then drains: claims no more, gives running jobs their grace time, and
    /// releases those that still run.
    pub(crate) async fn run(mut self) {
        let mut work = self.queue.subscribe(Topic::Work);
        let mut cancel = self.queue.subscribe(Topic::Cancel);
        let stop_asked = self.stop_asked.clone();
        loop {
            if self.timers.retry_at.is_none_or(|at| self.clock.steady() >= at) {
                match self.sync_with_store().await {
                    Ok(()) => self.reset_backoff(),
                    Err(error) => self.back_off(&error),
                }
            }
            if self.is_drained() {
                return;
            }
            let wake_at = self.wake_at();
            let mut ended = Vec::new();
            tokio::select! {
                // A random order would make tests unrepeatable.
                biased;
                () = stop_asked.cancelled(), if self.timers.shutdown == Shutdown::NotAsked => {
                    self.timers.shutdown = Shutdown::Grace(self.clock.steady().after(self.settings.grace));
                }
                () = cancel.changed() => self.timers.may_have_cancellations = true,
                () = work.changed() => self.timers.may_have_work = true,
                count = self.ended.recv_many(&mut ended, CLAIM_LIMIT) => if count == 0 {
                    // The worker has ended, so nothing can run the jobs in flight.
                    return;
                },
                () = self.clock.sleep_until(wake_at) => {}
            }
            // In every round: an unbroken stream of new work must not delay results.
            ended.extend(std::iter::from_fn(|| self.ended.try_recv().ok()).take(CLAIM_LIMIT));
            self.take(ended);
            self.fire_timers();
        }
    }

    /// Makes all store calls that are due. Results are stored and jobs claimed concurrently, so that they can share a
    /// commit.
    async fn sync_with_store(&mut self) -> Result<()> {
        let now = self.clock.steady();
        if !self.in_flight.is_empty() && now >= self.timers.renew_at {
            self.renew_leases(now).await?;
        }
        if self.timers.expire_at.is_some_and(|at| at <= now) {
            self.expire_leases(now).await?;
        }
        if self.timers.may_have_cancellations {
            let cancelled = self.queue.cancellations(&self.settings.worker).await?;
            self.timers.may_have_cancellations = false;
            cancelled.into_iter().for_each(|job| self.in_flight.stop(job, StopReason::Cancelled));
        }
        let results = std::mem::take(&mut self.unstored);
        let (stored, claimed) = tokio::join!(self.store(&results), self.claim(now));
        match stored {
            Ok(()) => results.iter().for_each(|attempt| self.in_flight.remove(attempt.job, attempt.attempt)),
            Err(_) => self.unstored.splice(0..0, results).for_each(drop),
        }
        if claimed.is_err() && !self.settings.shares_store {
            // A lease is valid up to and including its last millisecond.
            self.timers.expire_at = Some(now.after(self.settings.lease + Duration::from_millis(1)));
        }
        let claimed = claimed.map(|claimed| self.hand_out(claimed, now));
        stored.and(claimed)?;
        if self.timers.is_due_stale && !self.timers.may_have_work {
            self.timers.due_at = self.queue.next_due().await?;
            self.timers.is_due_stale = false;
        }
        Ok(())
    }

    async fn renew_leases(&mut self, now: TimeMs) -> Result<()> {
        let (worker, until) = (&self.settings.worker, now.after(self.settings.lease));
        let lost = self.queue.renew_leases(worker, &self.in_flight.jobs(), until).await?;
        lost.into_iter().for_each(|job| self.in_flight.stop(job, StopReason::Lost));
        self.timers.renew_at = now.after(self.settings.lease / 3);
        // Only after renewing its own leases: a process that was frozen must not expire them itself.
        self.expire_leases(now).await
    }

    async fn expire_leases(&mut self, now: TimeMs) -> Result<()> {
        self.queue.expire_leases(now).await?;
        self.timers.expire_at = if self.settings.shares_store {
            // As often as leases are renewed, but with jitter, so that not all workers do it at the same time.
            Some(now.after(self.settings.lease.div_f64(3.0).mul_f64(1.0 - 0.25 * (self.settings.jitter)())))
        } else {
            self.timers.expire_at.filter(|&at| at > now)
        };
        Ok(())
    }

    async fn store(&self, results: &[FinishedAttempt]) -> Result<()> {
        if results.is_empty() { Ok(()) } else { self.queue.finish(results.to_vec()).await.map(drop) }
    }

    async fn claim(&self, now: TimeMs) -> Result<Option<Claimed>> {
        let free = self.settings.slots.saturating_sub(self.in_flight.len()).min(CLAIM_LIMIT);
        if free == 0 || !self.timers.may_have_work || now < self.timers.claim_at || self.stop_asked.is_cancelled() {
            return Ok(None);
        }
        let claim = Claim {
            worker: self.settings.worker.clone(),
            limit: u32::try_from(free).unwrap_or(u32::MAX),
            now,
            lease_until: now.after(self.settings.lease),
            wall: self.clock.wall(),
        };
        let jobs = self.queue.claim(claim).await?;
        Ok(Some(Claimed { took_all: jobs.len() < free, jobs }))
    }

    fn hand_out(&mut self, claimed: Option<Claimed>, claimed_at: TimeMs) {
        let Some(Claimed { jobs, took_all }) = claimed else { return };
        if self.in_flight.is_empty() {
            // Counted from the start of the claim, like the leases, because its commit may take long.
            self.timers.renew_at = claimed_at.after(self.settings.lease / 3);
        }
        if took_all {
            self.timers.may_have_work = false;
            self.timers.is_due_stale = true;
            if !jobs.is_empty() {
                self.timers.claim_at = self.clock.steady().after(self.settings.claim_debounce);
            }
        }
        // A job that has failed runs alone, because it may fail again.
        let is_grouped = |job: &ClaimedJob| job.attempt == 1 && self.grouped == Some(job.kind.as_str());
        let (group, alone): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_grouped);
        alone.into_iter().for_each(|job| self.begin([job].into()));
        if !group.is_empty() {
            self.begin(group.into());
        }
    }

    fn begin(&mut self, jobs: Arc<[ClaimedJob]>) {
        let attempt = self.in_flight.add(jobs);
        // The channel has room for all slots. If the worker has ended, the other channel is closed too.
        let _ = self.jobs.try_send(attempt);
    }

    fn take(&mut self, ended: Vec<EndedAttempt>) {
        for EndedAttempt { jobs, end } in ended {
            for job in &*jobs {
                match &end {
                    End::Stored => self.in_flight.remove(job.id, job.attempt),
                    End::Reported(result) => self.report(job, result.clone()),
                    End::Split => match self.in_flight.stop_reason(job.id, job.attempt) {
                        Some(reason) => self.report(job, reason.result()),
                        None => self.begin([job.clone()].into()),
                    },
                }
            }
        }
    }

    fn report(&mut self, job: &ClaimedJob, result: AttemptResult) {
        let (now, wall, worker) = (self.clock.steady(), self.clock.wall(), self.settings.worker.clone());
        self.unstored.push(FinishedAttempt { job: job.id, attempt: job.attempt, worker, result, now, wall });
    }

    fn reset_backoff(&mut self) {
        if self.timers.failures > 0 {
            tracing::info!(failures = self.timers.failures, "the queue's store answers again");
        }
        self.timers.failures = 0;
        self.timers.retry_at = None;
    }

    fn back_off(&mut self, error: &StoreError) {
        self.timers.failures = self.timers.failures.saturating_add(1);
        let delay = STORE_BACKOFF.after(self.timers.failures, (self.settings.jitter)());
        self.timers.retry_at = Some(self.clock.steady().after(delay));
        tracing::warn!(%error, failures = self.timers.failures, ?delay, "the queue's store failed; trying again");
    }

    /// When the next action without a wake-up is due.
    fn wake_at(&self) -> TimeMs {
        let timers = &self.timers;
        let deadline = match timers.shutdown {
            Shutdown::NotAsked => None,
            Shutdown::Grace(until) | Shutdown::Flush(until) => Some(until),
        };
        let next = match timers.retry_at {
            Some(at) => Some(at),
            None if !self.unstored.is_empty() => Some(self.clock.steady()),
            None => {
                let claim_at = if timers.may_have_work { Some(timers.claim_at) } else { timers.due_at };
                let claim_at = claim_at.filter(|_| self.has_free_slot());
                let renew_at = (!self.in_flight.is_empty()).then_some(timers.renew_at);
                [claim_at, renew_at, timers.expire_at].into_iter().flatten().min()
            }
        };
        [deadline, next].into_iter().flatten().min().unwrap_or(TimeMs(i64::MAX))
    }

    fn has_free_slot(&self) -> bool {
        !self.stop_asked.is_cancelled() && self.in_flight.len() < self.settings.slots
    }

    fn fire_timers(&mut self) {
        let now = self.clock.steady();
        let (settings, timers) = (&self.settings, &mut self.timers);
        // A shared clock may be set back. Even then, no timer may wait longer than this.
        let latest = now.after(settings.lease / 3);
        timers.renew_at = timers.renew_at.min(latest);
        timers.claim_at = timers.claim_at.min(now.after(settings.claim_debounce));
        if settings.shares_store {
            timers.expire_at = timers.expire_at.map(|at| at.min(latest));
        }
        timers.retry_at = timers.retry_at.map(|at| at.min(now.after(STORE_BACKOFF.limit)));
        if timers.due_at.is_some_and(|due| due <= now) {
            timers.may_have_work = true;
        }
        if matches!(timers.shutdown, Shutdown::Grace(until) if until <= now) {
            self.in_flight.stop_all(StopReason::Shutdown);
            timers.shutdown = Shutdown::Flush(now.after(FLUSH_TIMEOUT));
        }
    }

    fn is_drained(&self) -> bool {
        match self.timers.shutdown {
            Shutdown::NotAsked => false,
            Shutdown::Grace(_) => self.in_flight.is_empty(),
            Shutdown::Flush(until) => self.in_flight.is_empty() || until <= self.clock.steady(),
        }
    }
}

struct Claimed {
    jobs: Vec<ClaimedJob>,
    /// Whether no claimable job was left.
    took_all: bool,
}
