//! The one task of a worker process that talks to the store's queue.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use store::{Claim, Clock, FinishedAttempt, JobQueue, Result, StoreError, Topic};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, Outcome, StopReason};
use crate::held::Held;
use crate::settings::{Backoff, Settings};

/// The most jobs that one claim takes, so that a commit stays short for those who wait behind it.
const CLAIM_LIMIT: usize = 512;

/// The waits between tries while the database does not answer.
const STORE_BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), limit: Duration::from_secs(5) };

/// How long the last outcomes may take to be stored once everything has stopped. What is not
/// stored by then is found by its lease, or by the next start.
const FLUSH: Duration = Duration::from_secs(5);

/// Claims jobs for the free slots, renews their leases, and stores what came of them.
///
/// It sleeps until a wake-up, the next due time or the next renewal: an idle queue costs no SQL, unless it is shared
/// with other processes, whose jobs it must find when they are gone.
/// A store that fails is asked again after a backoff, for as long as it takes.
pub(crate) struct Dispatcher {
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    jobs: mpsc::Sender<Attempt>,
    outcomes: mpsc::Receiver<Outcome>,
    /// Cancelled when the process is to stop: nothing is claimed from that moment on.
    stop_asked: CancellationToken,
    held: Held,
    /// Outcomes that are not stored yet.
    ended: Vec<FinishedAttempt>,
    agenda: Agenda,
}

/// What is to be done next, and when.
#[derive(Debug)]
struct Agenda {
    /// Whether there may be jobs to claim that no wake-up will tell of.
    look_for_work: bool,
    /// Until when new jobs gather, see [`Settings::gathering`].
    gather_until: TimeMs,
    /// Whether there may be jobs to cancel.
    look_for_cancellations: bool,
    /// Whether `due_at` may be wrong.
    ask_due: bool,
    due_at: Option<TimeMs>,
    renew_at: TimeMs,
    /// When to look for leases that have run out, beyond each renewal. On a store that is shared, again and again: any
    /// other worker may be gone. Else when those of a claim run out that failed: the store may have taken it all the
    /// same, and then nobody else will look for its jobs.
    expire_at: Option<TimeMs>,
    /// How often the store has failed in a row, and when to ask it again.
    failures: u32,
    pause_until: Option<TimeMs>,
    stop: Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Not asked for.
    No,
    /// Running jobs may go on until then.
    Grace(TimeMs),
    /// They were told to stop; their outcomes are stored until then.
    Flush(TimeMs),
}

impl Dispatcher {
    pub(crate) fn new(
        queue: Arc<dyn JobQueue>,
        clock: Arc<dyn Clock>,
        settings: Settings,
        jobs: mpsc::Sender<Attempt>,
        outcomes: mpsc::Receiver<Outcome>,
        stop_asked: CancellationToken,
    ) -> Self {
        let agenda = Agenda {
            look_for_work: true,
            gather_until: clock.steady(),
            look_for_cancellations: false,
            ask_due: true,
            due_at: None,
            renew_at: clock.steady(),
            expire_at: settings.shares_store.then(|| clock.steady()),
            failures: 0,
            pause_until: None,
            stop: Stop::No,
        };
        Self { queue, clock, settings, jobs, outcomes, stop_asked, held: Held::default(), ended: Vec::new(), agenda }
    }

    /// Dispatches until it is told to stop, then drains: claims no more, gives running jobs
    /// their grace time, and hands back what has not ended by then.
    pub(crate) async fn run(mut self) {
        let mut work = self.queue.subscribe(Topic::Work);
        let mut cancel = self.queue.subscribe(Topic::Cancel);
        let stop_asked = self.stop_asked.clone();
        loop {
            if self.agenda.pause_until.is_none_or(|until| self.clock.steady() >= until) {
                let answer = self.talk_to_the_store().await;
                self.note(answer);
            }
            if self.is_drained() {
                return;
            }
            let wake_at = self.wake_at();
            let mut news = Vec::new();
            tokio::select! {
                // Not in a random order, which no test could hold.
                biased;
                () = stop_asked.cancelled(), if self.agenda.stop == Stop::No => {
                    self.agenda.stop = Stop::Grace(self.clock.steady().after(self.settings.grace));
                }
                () = cancel.changed() => self.agenda.look_for_cancellations = true,
                () = work.changed() => self.agenda.look_for_work = true,
                count = self.outcomes.recv_many(&mut news, CLAIM_LIMIT) => if count == 0 {
                    // The worker is gone, and with it whoever could run what is held.
                    return;
                },
                () = self.clock.sleep_until(wake_at) => {}
            }
            // Whatever else has come: work that comes without a pause must not keep outcomes waiting.
            news.extend(std::iter::from_fn(|| self.outcomes.try_recv().ok()).take(CLAIM_LIMIT));
            self.take(news);
            self.keep_time();
        }
    }

    /// Everything that is to be stored or asked now. Storing and claiming go hand in hand, so
    /// that they can share a commit.
    async fn talk_to_the_store(&mut self) -> Result<()> {
        let now = self.clock.steady();
        if !self.held.is_empty() && now >= self.agenda.renew_at {
            self.renew(now).await?;
        }
        if self.agenda.expire_at.is_some_and(|at| at <= now) {
            self.expire_leases(now).await?;
        }
        if self.agenda.look_for_cancellations {
            let wanted = self.queue.cancellations(&self.settings.worker).await?;
            self.agenda.look_for_cancellations = false;
            wanted.into_iter().for_each(|id| self.held.stop(id, StopReason::Cancelled));
        }
        let ended = std::mem::take(&mut self.ended);
        let (stored, claimed) = tokio::join!(self.store(&ended), self.claim(now));
        match stored {
            Ok(()) => ended.iter().for_each(|attempt| self.held.remove(attempt.job, attempt.attempt)),
            Err(_) => self.ended.splice(0..0, ended).for_each(drop),
        }
        if claimed.is_err() && !self.settings.shares_store {
            // A lease holds up to its last millisecond.
            self.agenda.expire_at = Some(now.after(self.settings.lease + Duration::from_millis(1)));
        }
        let claimed = claimed.map(|claimed| self.hand_out(claimed, now));
        stored.and(claimed)?;
        if self.agenda.ask_due && !self.agenda.look_for_work {
            self.agenda.due_at = self.queue.next_due().await?;
            self.agenda.ask_due = false;
        }
        Ok(())
    }

    async fn renew(&mut self, now: TimeMs) -> Result<()> {
        let lost =
            self.queue.renew_leases(&self.settings.worker, &self.held.jobs(), now.after(self.settings.lease)).await?;
        lost.into_iter().for_each(|id| self.held.stop(id, StopReason::Lost));
        self.agenda.renew_at = now.after(self.settings.lease / 3);
        // After our own are renewed: a process that was frozen must not take them for another's.
        if self.settings.shares_store {
            self.expire_leases(now).await
        } else {
            self.queue.expire_leases(now).await.map(drop)
        }
    }

    async fn expire_leases(&mut self, now: TimeMs) -> Result<()> {
        self.queue.expire_leases(now).await?;
        // As often as leases are renewed, and not all workers at the same moment.
        let again = self.settings.lease.div_f64(3.0).mul_f64(1.0 - 0.25 * (self.settings.roll)());
        self.agenda.expire_at = self.settings.shares_store.then(|| now.after(again));
        Ok(())
    }

    async fn store(&self, ended: &[FinishedAttempt]) -> Result<()> {
        if ended.is_empty() { Ok(()) } else { self.queue.finish(ended.to_vec()).await.map(drop) }
    }

    async fn claim(&self, now: TimeMs) -> Result<Option<Claimed>> {
        let free = self.settings.slots.saturating_sub(self.held.len()).min(CLAIM_LIMIT);
        if free == 0 || !self.agenda.look_for_work || now < self.agenda.gather_until || self.stop_asked.is_cancelled() {
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
        if self.held.is_empty() {
            // Counted from the claim as the leases are, however long its commit took.
            self.agenda.renew_at = claimed_at.after(self.settings.lease / 3);
        }
        if took_all {
            self.agenda.look_for_work = false;
            self.agenda.ask_due = true;
            if !jobs.is_empty() {
                self.agenda.gather_until = self.clock.steady().after(self.settings.gathering);
            }
        }
        for job in jobs {
            let attempt = self.held.add(job);
            // Slots and channel have the same size, so there is room. Should the worker be gone,
            // the outcomes' channel says so next.
            let _ = self.jobs.try_send(attempt);
        }
    }

    fn take(&mut self, outcomes: Vec<Outcome>) {
        let (now, wall) = (self.clock.steady(), self.clock.wall());
        for Outcome { job, attempt, finish } in outcomes {
            match finish {
                Some(finish) => {
                    let worker = self.settings.worker.clone();
                    self.ended.push(FinishedAttempt { job, attempt, worker, finish, now, wall });
                }
                None => self.held.remove(job, attempt),
            }
        }
    }

    fn note(&mut self, answer: Result<()>) {
        match answer {
            Ok(()) => {
                if self.agenda.failures > 0 {
                    tracing::info!(failures = self.agenda.failures, "the queue's store answers again");
                }
                self.agenda.failures = 0;
                self.agenda.pause_until = None;
            }
            Err(error) => self.pause(&error),
        }
    }

    fn pause(&mut self, error: &StoreError) {
        self.agenda.failures = self.agenda.failures.saturating_add(1);
        let wait = STORE_BACKOFF.after(self.agenda.failures, (self.settings.roll)());
        self.agenda.pause_until = Some(self.clock.steady().after(wait));
        tracing::warn!(%error, failures = self.agenda.failures, ?wait, "the queue's store failed; asking again");
    }

    /// The next time at which there is something to do without a wake-up.
    fn wake_at(&self) -> TimeMs {
        let agenda = &self.agenda;
        let deadline = match agenda.stop {
            Stop::No => None,
            Stop::Grace(until) | Stop::Flush(until) => Some(until),
        };
        let next = match agenda.pause_until {
            Some(until) => Some(until),
            None if !self.ended.is_empty() => Some(self.clock.steady()),
            None => {
                let claim_at = if agenda.look_for_work { Some(agenda.gather_until) } else { agenda.due_at };
                let claim_at = claim_at.filter(|_| self.has_free_slot());
                let renew_at = (!self.held.is_empty()).then_some(agenda.renew_at);
                [claim_at, renew_at, agenda.expire_at].into_iter().flatten().min()
            }
        };
        [deadline, next].into_iter().flatten().min().unwrap_or(TimeMs(i64::MAX))
    }

    fn has_free_slot(&self) -> bool {
        !self.stop_asked.is_cancelled() && self.held.len() < self.settings.slots
    }

    /// Notices which times have come.
    fn keep_time(&mut self) {
        let now = self.clock.steady();
        // The clock that several processes share may be set back: what is due by then must not wait for as long again.
        let soon = now.after(self.settings.lease / 3);
        self.agenda.renew_at = self.agenda.renew_at.min(soon);
        self.agenda.gather_until = self.agenda.gather_until.min(now.after(self.settings.gathering));
        if self.settings.shares_store {
            self.agenda.expire_at = self.agenda.expire_at.map(|at| at.min(soon));
        }
        self.agenda.pause_until = self.agenda.pause_until.map(|until| until.min(now.after(STORE_BACKOFF.limit)));
        if self.agenda.due_at.is_some_and(|due| due <= now) {
            self.agenda.look_for_work = true;
        }
        if matches!(self.agenda.stop, Stop::Grace(until) if until <= now) {
            self.held.stop_all(StopReason::Shutdown);
            self.agenda.stop = Stop::Flush(now.after(FLUSH));
        }
    }

    fn is_drained(&self) -> bool {
        match self.agenda.stop {
            Stop::No => false,
            Stop::Grace(_) => self.held.is_empty(),
            Stop::Flush(until) => self.held.is_empty() || until <= self.clock.steady(),
        }
    }
}

struct Claimed {
    jobs: Vec<store::ClaimedJob>,
    /// Whether nothing claimable was left.
    took_all: bool,
}
