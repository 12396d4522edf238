//! Adds a batch of jobs with one statement.

use std::collections::HashMap;

use api::{JobId, JobState, SearchId};
use async_trait::async_trait;
use store::{ChangedTopics, NewJob, Result, Topic};

use crate::batcher::BatchWrite;
use crate::connections::Connections;
use crate::job_queue::{WriteContext, clamped, index};

/// A job to add. With `search`, it is only added if that search has no log row.
#[derive(Debug)]
pub(crate) struct Add {
    pub(crate) job: NewJob,
    pub(crate) search: Option<SearchId>,
}

pub(crate) enum Added {
    New(JobId),
    Queued {
        job: JobId,
        payload: String,
    },
    /// The search has a log row.
    Refused,
}

#[async_trait]
impl BatchWrite for Add {
    type Answer = Added;
    type Context = WriteContext;

    async fn write(writes: &[Self], context: &WriteContext) -> Result<(Vec<Added>, ChangedTopics)> {
        let connections = context.start_batch();
        let new = insert(writes, connections).await?;
        let refused: Vec<usize> = (0..writes.len()).filter(|index| !new.contains_key(index)).collect();
        let mut queued = find_queued(writes, &refused, connections).await?;
        let mut changed = ChangedTopics::default();
        let answers = writes.iter().enumerate().map(|(index, add)| {
            if let Some(&id) = new.get(&index) {
                changed.entered(first_state(&add.job));
                return Added::New(id);
            }
            queued.remove(&index).unwrap_or(Added::Refused)
        });
        let answers = answers.collect();
        if !new.is_empty() {
            changed.topic(Topic::Jobs);
        }
        Ok((answers, changed))
    }
}

fn first_state(job: &NewJob) -> JobState {
    if job.run_at > job.now { JobState::Scheduled } else { JobState::Waiting }
}

/// Inserts the jobs that conflict with nothing, with ids in their order. Returns the ids by index in `writes`.
async fn insert(writes: &[Add], connections: &Connections) -> Result<HashMap<usize, JobId>> {
    let jobs = || writes.iter().map(|add| &add.job);
    let kinds: Vec<&str> = jobs().map(|job| job.kind.as_str()).collect();
    let keys: Vec<Option<&str>> = jobs().map(|job| job.key.as_deref()).collect();
    let payloads: Vec<&str> = jobs().map(|job| job.payload.as_str()).collect();
    let states: Vec<&str> = jobs().map(|job| first_state(job).as_str()).collect();
    let priorities: Vec<i16> = jobs().map(|job| job.priority).collect();
    let max_attempts: Vec<i32> = jobs().map(|job| clamped(job.max_attempts)).collect();
    let run_at: Vec<i64> = jobs().map(|job| job.run_at.0).collect();
    let created_at: Vec<i64> = jobs().map(|job| job.created_at.0).collect();
    let searched: Vec<bool> = writes.iter().map(|add| add.search.is_some()).collect();
    // The sequence stands in a subquery, which is evaluated once: to look it up for each job costs more than its number.
    // Ordered by key: statements with the same keys in different orders would deadlock.
    let inserted = sqlx::query!(
        r#"with new as materialized (
               select nextval((select pg_get_serial_sequence('job', 'id')::regclass)) as id, input.*
               from unnest((select $1::text[]), (select $2::text[]), (select $3::text[]), (select $4::text[]),
                           (select $5::smallint[]), (select $6::integer[]), (select $7::bigint[]),
                           (select $8::bigint[]), (select $9::boolean[])) with ordinality
                    as input (kind, key, payload, state, priority, max_attempts, run_at, created_at, searched,
                              input_order)
           ),
           inserted as (
               insert into job (id, kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
               select id, kind, key, payload, state, priority, max_attempts, run_at, created_at
               from new
               where not searched or not exists (select 1 from log where log.search_id = new.key)
               order by kind, key, id
               on conflict (kind, key) do nothing
               returning id
           )
           select inserted.id, new.input_order as "input_order!" from inserted join new using (id)"#,
        &kinds as _,
        &keys as _,
        &payloads as _,
        &states as _,
        &priorities,
        &max_attempts,
        &run_at,
        &created_at,
        &searched
    );
    let inserted = connections.fetch_all(inserted).await?;
    Ok(inserted.into_iter().map(|row| (index(row.input_order), JobId(row.id))).collect())
}

/// The jobs that the writes at `refused` conflict with, by index in `writes`.
async fn find_queued(writes: &[Add], refused: &[usize], connections: &Connections) -> Result<HashMap<usize, Added>> {
    if refused.is_empty() {
        return Ok(HashMap::new());
    }
    let kinds: Vec<&str> = refused.iter().map(|&index| writes[index].job.kind.as_str()).collect();
    let keys: Vec<Option<&str>> = refused.iter().map(|&index| writes[index].job.key.as_deref()).collect();
    let found = sqlx::query!(
        r#"select refused.input_order as "input_order!", job.id, job.payload
           from unnest((select $1::text[]), (select $2::text[])) with ordinality as refused (kind, key, input_order)
           join job on job.kind = refused.kind and job.key = refused.key"#,
        &kinds as _,
        &keys as _
    );
    let found = connections.fetch_all(found).await?.into_iter();
    let queued = |id, payload| Added::Queued { job: JobId(id), payload };
    Ok(found.map(|row| (refused[index(row.input_order)], queued(row.id, row.payload))).collect())
}
