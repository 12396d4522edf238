//! What workers say came of their attempts.

use api::JobState;
use async_trait::async_trait;
use store::codec::job_state;
use store::{AttemptResult, ChangedTopics, FinishedAttempt, Result};

use crate::connections::{Connections, in_time};
use crate::escape::storable;
use crate::lane::Grouped;
use crate::queue::add::place;
use crate::queue::front::Front;

#[derive(Debug)]
pub(crate) struct Finishes(pub(crate) Vec<FinishedAttempt>);

#[async_trait]
impl Grouped for Finishes {
    type Answer = u64;

    async fn write(writes: &[Self], connections: &Connections, front: &Front) -> Result<(Vec<u64>, ChangedTopics)> {
        let told = Told::of(writes.iter().flat_map(|write| &write.0));
        let ended = end_held(&told, connections).await?;
        let mut touched = ChangedTopics::default();
        let mut stored = vec![false; told.jobs.len()];
        for (place, state) in ended {
            touched.left(JobState::Running);
            touched.entered(state);
            front.moved_to(state);
            stored[place] = true;
        }
        let mut stored = stored.into_iter();
        let counts =
            writes.iter().map(|write| stored.by_ref().take(write.0.len()).filter(|stored| *stored).count() as u64);
        Ok((counts.collect(), touched))
    }
}

/// Attempts as the columns of which a statement makes rows again.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) jobs: Vec<i64>,
    pub(crate) attempts: Vec<i32>,
    pub(crate) workers: Vec<String>,
    /// How they ended, by `AttemptOutcome::as_str`.
    pub(crate) outcomes: Vec<&'static str>,
    pub(crate) errors: Vec<Option<String>>,
    /// When the job is to run again, where it is.
    pub(crate) run_at: Vec<i64>,
    pub(crate) ended_at: Vec<i64>,
}

impl Told {
    pub(crate) fn of<'a>(attempts: impl Iterator<Item = &'a FinishedAttempt>) -> Self {
        let mut told = Self::default();
        for attempt in attempts {
            let run_at = match attempt.finish {
                AttemptResult::Retry { after, .. } => attempt.now.after(after),
                _ => attempt.now,
            };
            told.jobs.push(attempt.job.0);
            told.attempts.push(i32::try_from(attempt.attempt).unwrap_or(i32::MAX));
            told.workers.push(attempt.worker.0.clone());
            told.outcomes.push(attempt.finish.outcome().as_str());
            told.errors.push(attempt.finish.error().map(|error| storable(error).into_owned()));
            told.run_at.push(run_at.0);
            told.ended_at.push(attempt.wall.0);
        }
        told
    }
}

/// Ends those attempts that their workers still hold: their places in `told`, and their jobs' states.
async fn end_held(told: &Told, connections: &Connections) -> Result<Vec<(usize, JobState)>> {
    let statement = sqlx::query!(
        r#"with told as materialized (
               -- The same attempt told twice is stored once.
               select distinct on (job_id, attempt, worker) *
               from unnest((select $1::bigint[]), (select $2::integer[]), (select $3::text[]), (select $4::text[]),
                           (select $5::text[]), (select $6::bigint[]), (select $7::bigint[])) with ordinality
                    as told (job_id, attempt, worker, outcome, error, run_at, ended_at, place)
               order by job_id, attempt, worker, place
           ),
           held as materialized (
               select told.*, job.max_attempts, job.cancel_requested, job.started_at_ms
               from told
               cross join lateral (
                   select max_attempts, cancel_requested, started_at_ms from job
                   where id = told.job_id and state = 'running' and worker = told.worker and attempt = told.attempt
                   for update
               ) as job
           ),
           settled as materialized (
               select held.*,
                      case
                          -- A job that was to stop does not run again, however its worker put it.
                          when cancel_requested and outcome in ('failed', 'released') then 'cancelled'
                          when outcome = 'failed' and attempt >= max_attempts then 'dead'
                          else outcome
                      end as came_to
               from held
           ),
           noted as (
               insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
               select job_id,
                      (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = settled.job_id),
                      attempt, worker, started_at_ms, ended_at, came_to, error
               from settled
           ),
           moved as (
               update job
               set state = case came_to when 'failed' then 'retrying' when 'released' then 'waiting' else came_to end,
                   run_at_ms = case when came_to in ('failed', 'released') then run_at else run_at_ms end,
                   attempt = case came_to when 'released' then job.attempt - 1 else job.attempt end,
                   finished_at_ms = case when came_to in ('failed', 'released') then null else ended_at end,
                   error = coalesce(settled.error, job.error),
                   worker = null, lease_until_ms = null, cancel_requested = false
               from settled
               where job.id = settled.job_id
               returning job.id, job.state
           )
           select settled.place as "place!", moved.state from settled join moved on moved.id = settled.job_id"#,
        &told.jobs,
        &told.attempts,
        &told.workers,
        &told.outcomes as _,
        &told.errors as _,
        &told.run_at,
        &told.ended_at
    );
    let mut connection = connections.get().await?;
    let ended = in_time(statement.fetch_all(&mut *connection)).await;
    connection.settle(ended).await?.into_iter().map(|row| Ok((place(row.place), job_state(&row.state)?))).collect()
}
