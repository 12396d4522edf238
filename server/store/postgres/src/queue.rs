//! The queue's verbs: each names the statement that does it.

pub(crate) mod add;
mod claim;
mod finish;
mod fold;
mod front;
mod jobs;
mod kinds;
pub(crate) mod ledger;
mod lost;
mod prune;
mod read;
mod report;
mod steer;

use api::{Attempt, JobCounts, JobFilter, JobId, TimeMs};
use async_trait::async_trait;
use store::{
    ChangedTopics, Claim, ClaimedJob, Enqueued, FinishedAttempt, JobAdmin, JobPage, JobPosition, JobQueue, JobReport,
    NewJob, OutputPart, Result, StoredJob, StoredKind, Subscription, Topic, WorkerName,
};

use crate::PostgresStore;
use crate::queue::add::Added;

pub(crate) use crate::queue::add::Add;
pub(crate) use crate::queue::finish::{Finishes, Told};
pub(crate) use crate::queue::fold::fold;
pub(crate) use crate::queue::front::Front;

#[async_trait]
impl JobQueue for PostgresStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        match self.adds.ask(Add { job, search: None }).await? {
            Added::New(id) => Ok(Enqueued::New(id)),
            Added::Queued { job, .. } => Ok(Enqueued::Exists(job)),
            Added::Recorded(_) => unreachable!("only a search's job is compared with the log"),
        }
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>> {
        claim::claim(self, &claim).await
    }

    async fn next_due(&self) -> Result<Option<TimeMs>> {
        read::next_due(&self.connections).await
    }

    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>> {
        claim::renew_leases(&self.connections, worker, jobs, until).await
    }

    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64> {
        if attempts.is_empty() { Ok(0) } else { self.finishes.ask(Finishes(attempts)).await }
    }

    async fn report(&self, report: JobReport) -> Result<bool> {
        let is_stored = report::report(&self.connections, &report).await?;
        if is_stored {
            self.waker.notify(Topic::Output);
        }
        Ok(is_stored)
    }

    async fn expire_leases(&self, now: TimeMs) -> Result<u64> {
        let lost = lost::expire_leases(&self.connections, now).await?;
        self.requeued(lost)
    }

    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64> {
        let lost = lost::rescue_orphans(&self.connections, now, latest).await?;
        self.requeued(lost)
    }

    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>> {
        read::cancellations(&self.connections, worker).await
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        self.waker.subscribe(topic)
    }
}

#[async_trait]
impl JobAdmin for PostgresStore {
    async fn retry_job(&self, id: JobId, now: TimeMs) -> Result<bool> {
        let retried = steer::retry(&self.connections, id, now).await?;
        self.requeued(u64::from(retried)).map(|_| retried)
    }

    async fn cancel_job(&self, id: JobId, now: TimeMs) -> Result<bool> {
        let touched = steer::cancel(&self.connections, id, now).await?;
        touched.unwrap_or_default().notify(&self.waker);
        Ok(touched.is_some())
    }

    async fn delete_job(&self, id: JobId) -> Result<bool> {
        let is_deleted = prune::delete(&self.connections, id).await?;
        if is_deleted {
            self.waker.notify(Topic::Jobs);
        }
        Ok(is_deleted)
    }

    async fn prune_jobs(&self, before: TimeMs, limit: u32) -> Result<u64> {
        fold(&self.connections).await?;
        let pruned = prune::prune(&self.connections, before, limit).await?;
        if pruned > 0 {
            self.waker.notify(Topic::Jobs);
        }
        Ok(pruned)
    }

    async fn register_kind(&self, kind: &str, limit: Option<u32>) -> Result<()> {
        if kinds::register(&self.connections, kind, limit).await? {
            self.waker.notify(Topic::Jobs);
        }
        Ok(())
    }

    async fn pause_kind(&self, kind: &str) -> Result<bool> {
        let is_known = kinds::set_paused(&self.connections, kind, true).await?;
        if is_known {
            // Less may be claimed than before, so no worker has to look.
            self.waker.notify(Topic::Jobs);
        }
        Ok(is_known)
    }

    async fn resume_kind(&self, kind: &str) -> Result<bool> {
        let is_known = kinds::set_paused(&self.connections, kind, false).await?;
        self.decided(is_known)
    }

    async fn limit_kind(&self, kind: &str, limit: Option<u32>) -> Result<bool> {
        let is_known = kinds::limit(&self.connections, kind, limit).await?;
        self.decided(is_known)
    }

    async fn kinds(&self) -> Result<Vec<StoredKind>> {
        kinds::kinds(&self.connections).await
    }

    async fn job_counts(&self) -> Result<JobCounts> {
        read::job_counts(&self.connections).await
    }

    async fn oldest_waiting(&self) -> Result<Option<TimeMs>> {
        read::oldest_waiting(&self.connections).await
    }

    async fn jobs(&self, filter: JobFilter, before: Option<JobId>, limit: u32) -> Result<JobPage> {
        jobs::jobs(&self.connections, filter, before, limit).await
    }

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>> {
        jobs::job(&self.connections, id).await
    }

    async fn job_by_key(&self, kind: &str, key: &str) -> Result<Option<StoredJob>> {
        jobs::job_by_key(&self.connections, kind, key).await
    }

    async fn job_output(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>> {
        report::output(&self.connections, id, after, limit).await
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>> {
        read::attempts(&self.connections, id).await
    }

    async fn position(&self, kind: &str, key: &str) -> Result<Option<JobPosition>> {
        read::place(&self.connections, kind, key).await
    }
}

impl PostgresStore {
    /// More jobs may be claimable now, and older ones than those that were handed out lately.
    fn decided(&self, is_known: bool) -> Result<bool> {
        self.requeued(u64::from(is_known)).map(|_| is_known)
    }

    /// So many jobs wait again, or have ended, that may be older than those that were handed out lately.
    fn requeued(&self, jobs: u64) -> Result<u64> {
        if jobs > 0 {
            self.front.look_again();
            ChangedTopics::topics(&[Topic::Jobs, Topic::Work]).notify(&self.waker);
        }
        Ok(jobs)
    }
}
