//! Implements [`JobQueue`]: each method runs the statement that does the work.

mod add;
mod claim;
mod finish;
mod rescue;

use std::sync::Arc;

use api::{JobId, JobState, TimeMs};
use async_trait::async_trait;
use store::codec::corrupt;
use store::{
    ChangedTopics, Claim, ClaimedJob, Enqueued, FinishedAttempt, JobQueue, JobReport, NewJob, Result, StoreError,
    Subscription, Topic, WorkerName,
};

use crate::PostgresStore;
use crate::batcher::TRIES;
use crate::claim_cursor::ClaimCursor;
use crate::connections::Connections;
use crate::counters::Compactor;
use crate::escape::storable;

pub(crate) use crate::job_queue::add::{Add, Added};
pub(crate) use crate::job_queue::finish::{AttemptColumns, FinishAttempts};

#[async_trait]
impl JobQueue for PostgresStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        let key = job.key.clone();
        match self.adds.write(Add { job, search: None }).await? {
            Added::New(id) => Ok(Enqueued::New(id)),
            Added::Queued { job, .. } => Ok(Enqueued::Exists(job)),
            Added::Refused => Err(corrupt("job that conflicts with none", key)),
        }
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<ClaimedJob>> {
        for _ in 1..TRIES {
            match claim::claim(self, &claim).await {
                Err(StoreError::Conflict(_)) => {}
                outcome => return outcome,
            }
        }
        claim::claim(self, &claim).await
    }

    async fn next_due(&self) -> Result<Option<TimeMs>> {
        let due = sqlx::query_scalar!(
            "select run_at_ms from job where state in ('scheduled', 'retrying') order by run_at_ms limit 1"
        );
        Ok(self.connections.fetch_optional(due).await?.map(TimeMs))
    }

    async fn renew_leases(&self, worker: &WorkerName, jobs: &[JobId], until: TimeMs) -> Result<Vec<JobId>> {
        claim::renew_leases(&self.connections, worker, jobs, until).await
    }

    async fn finish(&self, attempts: Vec<FinishedAttempt>) -> Result<u64> {
        if attempts.is_empty() { Ok(0) } else { self.finishes.write(FinishAttempts(attempts)).await }
    }

    /// The part's number comes from the report's row, which is locked while it is incremented. So concurrent reports
    /// get different numbers, whatever their snapshots contain.
    async fn report(&self, report: JobReport) -> Result<bool> {
        let (part, result) = (report.part.as_deref().map(storable), report.result.as_deref().map(storable));
        let stored = sqlx::query_scalar!(
            r#"with held as materialized (
                   select id from job where id = $1 and state = 'running' and worker = $2 and attempt = $3 for update
               ),
               reported as (
                   insert into job_report (job_id, percent, note, result, parts)
                   select id, $4, $5, $6, case when $7::text is null then 0 else 1 end from held
                   on conflict (job_id) do update
                   set percent = excluded.percent, note = excluded.note,
                       result = coalesce(excluded.result, job_report.result),
                       parts = job_report.parts + excluded.parts
                   returning job_id, parts
               ),
               output as (
                   insert into job_output (job_id, number, text)
                   select job_id, parts, $7 from reported where $7::text is not null
               )
               select exists (select 1 from reported) as "stored!""#,
            report.job.0,
            report.worker.0,
            clamped(report.attempt),
            i16::from(report.percent),
            &*storable(&report.note),
            result.as_deref(),
            part.as_deref()
        );
        let is_stored = self.connections.fetch_one(stored).await?;
        if is_stored {
            self.notifier.notify(Topic::Output);
        }
        Ok(is_stored)
    }

    async fn expire_leases(&self, now: TimeMs) -> Result<u64> {
        let lost = rescue::expire_leases(&self.connections, now).await?;
        if lost > 0 {
            self.older_jobs_changed();
        }
        Ok(lost)
    }

    async fn rescue_orphans(&self, now: TimeMs, latest: TimeMs) -> Result<u64> {
        let lost = rescue::rescue_orphans(&self.connections, now, latest).await?;
        if lost > 0 {
            self.older_jobs_changed();
        }
        Ok(lost)
    }

    async fn cancellations(&self, worker: &WorkerName) -> Result<Vec<JobId>> {
        let jobs = sqlx::query_scalar!(
            "select id from job where state = 'running' and cancel_requested and worker = $1 order by id",
            worker.0
        );
        Ok(self.connections.fetch_all(jobs).await?.into_iter().map(JobId).collect())
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        self.notifier.subscribe(topic)
    }
}

/// What batched writes share.
pub(crate) struct WriteContext {
    connections: Connections,
    cursor: Arc<ClaimCursor>,
    compactor: Compactor,
}

impl WriteContext {
    pub(crate) fn new(connections: Connections, cursor: Arc<ClaimCursor>) -> Self {
        Self { connections, cursor, compactor: Compactor::default() }
    }

    /// The connections for one batch, which counts towards the next compaction.
    pub(crate) fn start_batch(&self) -> &Connections {
        self.compactor.count_statement(&self.connections);
        &self.connections
    }

    /// The attempt of a running job has ended, and the job is in `state` now.
    pub(crate) fn attempt_ended(&self, state: JobState, changed: &mut ChangedTopics) {
        changed.left(JobState::Running);
        changed.entered(state);
        if state == JobState::Waiting {
            self.cursor.reset();
        }
    }
}

/// The index of a row that `with ordinality` has numbered from 1.
fn index(ordinality: i64) -> usize {
    usize::try_from(ordinality - 1).unwrap_or(usize::MAX)
}

pub(crate) fn clamped(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
