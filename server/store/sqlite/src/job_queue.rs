//! Implements [`JobQueue`]: each method calls the write or the read that does the work.

mod add;
mod claim;
mod finish;
mod rescue;

use api::{JobId, TimeMs};
use async_trait::async_trait;
use store::{
    Claim, ClaimedJob, Enqueued, FinishedAttempt, JobQueue, JobReport, NewJob, Result, Subscription, Topic, WorkerName,
};

use crate::SqliteStore;
use crate::job_queue::claim::RenewLeases;
use crate::job_queue::rescue::{ExpireLeases, RescueOrphans};
use crate::transaction::Transaction;
use crate::writer::Write;

pub(crate) use crate::job_queue::add::{Add, Added};
pub(crate) use crate::job_queue::finish::{FinishAttempts, end_first_attempts, end_held};

#[async_trait]
impl JobQueue for SqliteStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        match self.writer.write_grouped(Add { job, search: None }).await? {
            Added::New(id) => Ok(Enqueued::New(id)),
            Added::Queued { job, .. } => Ok(Enqueued::Exists(job)),
            Added::Recorded(_) => unreachable!("only a search's job is compared with the log"),
        }
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>> {
        self.writer.write(claim).await
    }

    async fn next_due(&self) -> Result<Option<TimeMs>> {
        let due = sqlx::query_scalar!(
            "select run_at_ms from job indexed by job_due
             where state in ('scheduled', 'retrying') order by run_at_ms limit 1"
        );
        Ok(self.connections.fetch_optional(due).await?.map(TimeMs))
    }

    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>> {
        self.writer.write(RenewLeases { worker: worker.clone(), jobs: jobs.to_vec(), until }).await
    }

    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64> {
        self.writer.write_grouped(FinishAttempts(attempts)).await
    }

    async fn report(&self, report: JobReport) -> Result<bool> {
        self.writer.write(Report(report)).await
    }

    async fn expire_leases(&self, now: TimeMs) -> Result<u64> {
        // Runs every few seconds, so it is a read, and a write follows only if there is something to write.
        let expired = sqlx::query_scalar!(
            "select id from job indexed by job_state where state = 'running' and lease_until_ms < ?1 limit 1",
            now.0
        );
        if self.connections.fetch_optional(expired).await?.is_none() {
            return Ok(0);
        }
        self.writer.write(ExpireLeases { now }).await
    }

    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64> {
        self.writer.write(RescueOrphans { now, latest }).await
    }

    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>> {
        let worker = &worker.0;
        // Few jobs run at a time, so a separate index would cost more than it saves.
        let jobs = sqlx::query_scalar!(
            r#"select id as "id!: i64" from job indexed by job_state
               where state = 'running' and cancel_requested = 1 and worker = ?1 order by id"#,
            worker
        );
        Ok(self.connections.fetch_all(jobs).await?.into_iter().map(JobId).collect())
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        self.notifier.subscribe(topic)
    }
}

struct Report(JobReport);

#[async_trait]
impl Write for Report {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let JobReport { job, attempt, worker, percent, note, part, result } = &self.0;
        let new_parts = i64::from(part.is_some());
        let parts = sqlx::query_scalar!(
            r#"insert into job_report (job_id, percent, note, result, parts)
               select id, ?4, ?5, ?6, ?7 from job where id = ?1 and state = 'running' and worker = ?2 and attempt = ?3
               on conflict (job_id) do update
               set percent = excluded.percent, note = excluded.note, result = coalesce(excluded.result, result),
                   parts = parts + excluded.parts
               returning parts as "parts!: i64""#,
            job.0,
            worker.0,
            attempt,
            percent,
            note,
            result,
            new_parts
        );
        let Some(number) = tx.fetch_optional(parts).await? else { return Ok(false) };
        if let Some(text) = part {
            let output =
                sqlx::query!("insert into job_output (job_id, number, text) values (?1, ?2, ?3)", job.0, number, text);
            tx.execute(output).await?;
        }
        tx.changes.topic(Topic::Output);
        Ok(true)
    }
}
