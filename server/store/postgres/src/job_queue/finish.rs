//! Stores the results of attempts. The one that has done its job has no row in `attempt`: it stands in the job's row.

use api::JobState;
use async_trait::async_trait;
use store::codec::job_state;
use store::{AttemptResult, ChangedTopics, FinishedAttempt, Result};

use crate::batcher::BatchWrite;
use crate::connections::Connections;
use crate::escape::storable;
use crate::job_queue::{WriteContext, clamped, index};

#[derive(Debug)]
pub(crate) struct FinishAttempts(pub(crate) Vec<FinishedAttempt>);

#[async_trait]
impl BatchWrite for FinishAttempts {
    type Answer = u64;
    type Context = WriteContext;

    async fn write(writes: &[Self], context: &WriteContext) -> Result<(Vec<u64>, ChangedTopics)> {
        let finished = AttemptColumns::of(writes.iter().flat_map(|write| &write.0));
        let mut changed = ChangedTopics::default();
        let mut stored = vec![false; finished.jobs.len()];
        for (index, state) in end_held(&finished, context.start_batch()).await? {
            context.attempt_ended(state, &mut changed);
            stored[index] = true;
        }
        let mut stored = stored.into_iter();
        let counts =
            writes.iter().map(|write| stored.by_ref().take(write.0.len()).filter(|stored| *stored).count() as u64);
        Ok((counts.collect(), changed))
    }
}

/// Finished attempts as columns, which a statement turns into rows again.
#[derive(Default)]
pub(crate) struct AttemptColumns {
    pub(crate) jobs: Vec<i64>,
    pub(crate) attempts: Vec<i32>,
    pub(crate) workers: Vec<String>,
    /// Texts of [`api::AttemptOutcome`].
    pub(crate) outcomes: Vec<&'static str>,
    pub(crate) errors: Vec<Option<String>>,
    /// When the job runs again, if it does.
    pub(crate) run_at: Vec<i64>,
    pub(crate) ended_at: Vec<i64>,
}

impl AttemptColumns {
    pub(crate) fn of<'a>(attempts: impl Iterator<Item = &'a FinishedAttempt>) -> Self {
        let mut columns = Self::default();
        for attempt in attempts {
            let run_at = match attempt.result {
                AttemptResult::Retry { after, .. } => attempt.now.after(after),
                _ => attempt.now,
            };
            columns.jobs.push(attempt.job.0);
            columns.attempts.push(clamped(attempt.attempt));
            columns.workers.push(attempt.worker.0.clone());
            columns.outcomes.push(attempt.result.outcome().as_str());
            columns.errors.push(attempt.result.error().map(|error| storable(error).into_owned()));
            columns.run_at.push(run_at.0);
            columns.ended_at.push(attempt.wall.0);
        }
        columns
    }
}

/// Ends the attempts that their workers still hold. Returns their indexes in `finished`, and their jobs' new states.
async fn end_held(finished: &AttemptColumns, connections: &Connections) -> Result<Vec<(usize, JobState)>> {
    let ended = sqlx::query!(
        r#"with finished as materialized (
               -- An attempt that is finished twice is stored once.
               select distinct on (job_id, attempt, worker) *
               from unnest((select $1::bigint[]), (select $2::integer[]), (select $3::text[]), (select $4::text[]),
                           (select $5::text[]), (select $6::bigint[]), (select $7::bigint[])) with ordinality
                    as finished (job_id, attempt, worker, outcome, error, run_at, ended_at, input_order)
               order by job_id, attempt, worker, input_order
           ),
           held as materialized (
               select finished.*, job.max_attempts, job.cancel_requested, job.started_at_ms
               from finished
               cross join lateral (
                   select max_attempts, cancel_requested, started_at_ms from job
                   where id = finished.job_id and state = 'running' and worker = finished.worker and attempt = finished.attempt
                   for update
               ) as job
           ),
           settled as materialized (
               select held.*,
                      case
                          -- A job that was to be cancelled does not run again, whatever its attempt's result.
                          when cancel_requested and outcome in ('failed', 'released') then 'cancelled'
                          when outcome = 'failed' and attempt >= max_attempts then 'dead'
                          else outcome
                      end as final_outcome
               from held
           ),
           stored_attempt as (
               insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
               select job_id,
                      (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = settled.job_id),
                      attempt, worker, started_at_ms, ended_at, final_outcome, error
               from settled
               where final_outcome <> 'done'
           ),
           updated_job as (
               update job
               set state = case final_outcome
                               when 'failed' then 'retrying' when 'released' then 'waiting'
                               else final_outcome
                           end,
                   run_at_ms = case when final_outcome in ('failed', 'released') then run_at else run_at_ms end,
                   attempt = case final_outcome when 'released' then job.attempt - 1 else job.attempt end,
                   finished_at_ms = case when final_outcome in ('failed', 'released') then null else ended_at end,
                   error = coalesce(settled.error, job.error),
                   done_by = case final_outcome when 'done' then job.worker end,
                   worker = null, lease_until_ms = null, cancel_requested = false
               from settled
               where job.id = settled.job_id
               returning job.id, job.state
           )
           select settled.input_order as "input_order!", updated_job.state
           from settled join updated_job on updated_job.id = settled.job_id"#,
        &finished.jobs,
        &finished.attempts,
        &finished.workers,
        &finished.outcomes as _,
        &finished.errors as _,
        &finished.run_at,
        &finished.ended_at
    );
    let ended = connections.fetch_all(ended).await?;
    ended.into_iter().map(|row| Ok((index(row.input_order), job_state(&row.state)?))).collect()
}
