//! The queue's verbs: each names the write or the read that does it.

mod add;
mod claim;
mod finish;
mod jobs;
mod kinds;
mod ledger;
mod lost;
mod prune;
mod read;
mod report;
mod settle;
mod steer;

use api::{Attempt, JobCounts, JobFilter, JobId, Ledger, MissingSearch, SearchId, TimeMs};
use async_trait::async_trait;
use store::{
    Accepted, Claim, ClaimedJob, Enqueued, FinishedAttempt, JobPage, JobPosition, JobReport, NewJob, OutputPart, Queue,
    Result, StoredJob, StoredKind, Subscription, Topic, WorkerName,
};

use crate::SqliteStore;
use crate::queue::add::Added;
use crate::queue::claim::Extend;
use crate::queue::kinds::{IntroduceKind, LimitKind, PauseKind};
use crate::queue::lost::{Expire, RequeueOrphans};
use crate::queue::prune::{Delete, Prune};
use crate::queue::report::Report;
use crate::queue::steer::{Cancel, Retry};

pub(crate) use crate::queue::add::Add;
pub(crate) use crate::queue::finish::{FinishAttempts, end_held};
pub(crate) use crate::queue::kinds::know;
pub(crate) use crate::queue::ledger::{count_open, count_recorded};

#[async_trait]
impl Queue for SqliteStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        match self.writer.ask_grouped(Add { job, search: None }).await? {
            Added::New(id) => Ok(Enqueued::New(id)),
            Added::Queued { job, .. } => Ok(Enqueued::Exists(job)),
            Added::Recorded(_) => unreachable!("only a search's job is compared with the log"),
        }
    }

    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted> {
        match self.writer.ask_grouped(Add { job, search: Some(search) }).await? {
            Added::New(id) => Ok(Accepted::New(id)),
            Added::Queued { job, payload } => Ok(Accepted::Queued { job, payload }),
            Added::Recorded(row) => Ok(Accepted::Recorded(row)),
        }
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>> {
        self.writer.ask(claim).await
    }

    async fn next_due(&self) -> Result<Option<TimeMs>> {
        read::next_due(&self.readers).await
    }

    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>> {
        self.writer.ask(Extend { worker: worker.clone(), jobs: jobs.to_vec(), until }).await
    }

    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64> {
        self.writer.ask_grouped(FinishAttempts(attempts)).await
    }

    async fn report(&self, report: JobReport) -> Result<bool> {
        self.writer.ask(Report(report)).await
    }

    async fn expire_leases(&self, now: TimeMs) -> Result<u64> {
        // Asked every few seconds: only where there is something to write does it become a write.
        if !read::any_lease_ran_out(&self.readers, now).await? {
            return Ok(0);
        }
        self.writer.ask(Expire { now }).await
    }

    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64> {
        self.writer.ask(RequeueOrphans { now, latest }).await
    }

    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>> {
        read::cancellations(&self.readers, worker).await
    }

    async fn retry_job(&self, id: JobId, now: TimeMs) -> Result<bool> {
        self.writer.ask(Retry { id, now }).await
    }

    async fn cancel_job(&self, id: JobId, now: TimeMs) -> Result<bool> {
        self.writer.ask(Cancel { id, now }).await
    }

    async fn job_counts(&self) -> Result<JobCounts> {
        read::job_counts(&self.readers).await
    }

    async fn ledger(&self) -> Result<Ledger> {
        ledger::ledger(&self.readers).await
    }

    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>> {
        ledger::missing_searches(&self.readers, limit).await
    }

    async fn kinds(&self) -> Result<Vec<StoredKind>> {
        kinds::kinds(&self.readers).await
    }

    async fn pause_kind(&self, kind: &str, paused: bool) -> Result<bool> {
        self.writer.ask(PauseKind { kind: kind.to_owned(), paused }).await
    }

    async fn register_kind(&self, kind: &str, limit: Option<u32>) -> Result<()> {
        self.writer.ask(IntroduceKind { kind: kind.to_owned(), limit }).await
    }

    async fn limit_kind(&self, kind: &str, limit: Option<u32>) -> Result<bool> {
        self.writer.ask(LimitKind { kind: kind.to_owned(), limit }).await
    }

    async fn oldest_waiting(&self) -> Result<Option<TimeMs>> {
        read::oldest_waiting(&self.readers).await
    }

    async fn jobs(&self, filter: JobFilter, before: Option<JobId>, limit: u32) -> Result<JobPage> {
        jobs::jobs(&self.readers, filter, before, limit).await
    }

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>> {
        jobs::job(&self.readers, id).await
    }

    async fn job_by_key(&self, kind: &str, key: &str) -> Result<Option<StoredJob>> {
        jobs::job_by_key(&self.readers, kind, key).await
    }

    async fn job_output(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>> {
        report::output(&self.readers, id, after, limit).await
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>> {
        read::attempts(&self.readers, id).await
    }

    async fn position(&self, kind: &str, key: &str) -> Result<Option<JobPosition>> {
        read::place(&self.readers, kind, key).await
    }

    async fn prune_jobs(&self, before: TimeMs, limit: u32) -> Result<u64> {
        self.writer.ask(Prune { before, limit }).await
    }

    async fn delete_job(&self, id: JobId) -> Result<bool> {
        self.writer.ask(Delete { id }).await
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        self.waker.subscribe(topic)
    }
}
