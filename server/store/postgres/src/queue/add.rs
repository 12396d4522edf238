//! New jobs, a batch of them in one statement.

use std::collections::HashMap;

use api::{JobId, JobState, LogRow, SearchId};
use async_trait::async_trait;
use store::codec::corrupt;
use store::{ChangedTopics, NewJob, Result, Topic};

use crate::connections::{Connections, in_time};
use crate::lane::Grouped;
use crate::log;
use crate::queue::front::Front;

/// A job to add; with `search`, only where that search has no log row.
#[derive(Debug)]
pub(crate) struct Add {
    pub(crate) job: NewJob,
    pub(crate) search: Option<SearchId>,
}

pub(crate) enum Added {
    New(JobId),
    Queued { job: JobId, payload: String },
    Recorded(Box<LogRow>),
}

#[async_trait]
impl Grouped for Add {
    type Answer = Added;

    async fn write(writes: &[Self], connections: &Connections, _: &Front) -> Result<(Vec<Added>, ChangedTopics)> {
        let new = insert(writes, connections).await?;
        let refused: Vec<usize> = (0..writes.len()).filter(|place| !new.contains_key(place)).collect();
        let mut queued = find_queued(writes, &refused, connections).await?;
        let mut touched = ChangedTopics::default();
        let mut answers = Vec::with_capacity(writes.len());
        for (place, add) in writes.iter().enumerate() {
            answers.push(match (new.get(&place), queued.remove(&place)) {
                (Some(&id), _) => {
                    touched.entered(first_state(&add.job));
                    Added::New(id)
                }
                (None, Some(queued)) => queued,
                (None, None) => find_recorded(add, connections).await?,
            });
        }
        if !new.is_empty() {
            touched.topic(Topic::Jobs);
        }
        Ok((answers, touched))
    }
}

fn first_state(job: &NewJob) -> JobState {
    if job.run_at > job.now { JobState::Scheduled } else { JobState::Waiting }
}

/// Inserts those that may be, numbered in their order, and returns their numbers by their places in `writes`.
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
    // Inserted in the order of their keys: two statements with the same keys in two orders would wait for each other.
    let statement = sqlx::query!(
        r#"with new as materialized (
               select nextval(pg_get_serial_sequence('job', 'id')) as id, told.*
               from unnest((select $1::text[]), (select $2::text[]), (select $3::text[]), (select $4::text[]),
                           (select $5::smallint[]), (select $6::integer[]), (select $7::bigint[]),
                           (select $8::bigint[]), (select $9::boolean[])) with ordinality
                    as told (kind, key, payload, state, priority, max_attempts, run_at, created_at, searched, place)
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
           select inserted.id, new.place as "place!" from inserted join new using (id)"#,
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
    let mut connection = connections.get().await?;
    let inserted = in_time(statement.fetch_all(&mut *connection)).await;
    let inserted = connection.settle(inserted).await?;
    Ok(inserted.into_iter().map(|row| (place(row.place), JobId(row.id))).collect())
}

/// The jobs that stand in the way of those at `refused`, by these places.
async fn find_queued(writes: &[Add], refused: &[usize], connections: &Connections) -> Result<HashMap<usize, Added>> {
    if refused.is_empty() {
        return Ok(HashMap::new());
    }
    let kinds: Vec<&str> = refused.iter().map(|&place| writes[place].job.kind.as_str()).collect();
    let keys: Vec<Option<&str>> = refused.iter().map(|&place| writes[place].job.key.as_deref()).collect();
    let statement = sqlx::query!(
        r#"select told.place as "place!", job.id, job.payload
           from unnest((select $1::text[]), (select $2::text[])) with ordinality as told (kind, key, place)
           join job on job.kind = told.kind and job.key = told.key"#,
        &kinds as _,
        &keys as _
    );
    let mut connection = connections.get().await?;
    let found = in_time(statement.fetch_all(&mut *connection)).await;
    let found = connection.settle(found).await?.into_iter();
    let queued = |id, payload| Added::Queued { job: JobId(id), payload };
    Ok(found.map(|row| (refused[place(row.place)], queued(row.id, row.payload))).collect())
}

/// The log row that stands in the way of `add`. Rare: only where a search is sent again after its job was pruned.
async fn find_recorded(add: &Add, connections: &Connections) -> Result<Added> {
    let row = match add.search {
        Some(search) => log::row_of_search(connections, search).await?,
        None => None,
    };
    let row = row.ok_or_else(|| corrupt("job that conflicts with none", &add.job.key))?;
    Ok(Added::Recorded(Box::new(row)))
}

/// Of a row that `with ordinality` has numbered: PostgreSQL counts from 1.
pub(super) fn place(ordinality: i64) -> usize {
    usize::try_from(ordinality - 1).unwrap_or(usize::MAX)
}

fn clamped(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
